"""Recipes: one TOML file for each export says how it is recognised, and what a person would answer about it.

``find_recipe`` returns the recipe for a file's columns; ``completed_answers`` adds to what the person said what the
recipe says.
"""

from clv_core.collection.recipes.recipe import (
    NONE,
    Recipe,
    completed_answers,
    find_recipe,
    load_recipe,
    shipped_recipes,
)

__all__ = ["NONE", "Recipe", "completed_answers", "find_recipe", "load_recipe", "shipped_recipes"]
