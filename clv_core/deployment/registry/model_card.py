"""The model card as Markdown: what a version is and is for, how good it was, what it must not be used for.

Source: Mitchell et al. (2019), Model Cards for Model Reporting, arXiv 1810.03993.
"""

from __future__ import annotations

import re
from typing import Any, Final

from clv_core.config import TrainConfig
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.registry.version import Version
from clv_core.evaluation import format_metric, with_role
from clv_core.i18n import DEFAULT_LANGUAGE, has, say_count, say_number, say_share, say_together, translate
from clv_core.training import FEWEST_TRIED

SHOWN: Final = with_role("card")
SAMPLE_COUNTS: Final = ("kept_customers", "customers", "kept_events", "events")


def model_card(version: Version, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the card of a version in ``language``."""

    def t(key: str, **params: Any) -> str:
        return translate(key, language, **params)

    record = version.record
    cost = {"seconds": record.actual.seconds, "memory": record.actual.memory_mb}
    parts = [
        f"# {t('modelcard.title', name=plain(version.name), version=version.number)}",
        t("modelcard.first_look") if version.untrained else t("modelcard.what", kind=_kind(record.model, language)),
        f"## {t('modelcard.use')}",
        t("modelcard.use.text", days=record.horizon_days, name=plain(version.name)),
        t("modelcard.use.not"),
        t("modelcard.use.browsing"),
        f"## {t('modelcard.data')}",
        _table(_data(version, language), (t("modelcard.fact"), t("modelcard.value"))),
        f"## {t('modelcard.quality')}",
        *_quality(version, language),
        f"## {t('modelcard.trust')}",
        f"**{t('trust.' + record.trust.verdict)}**",
        "\n".join(f"- {plain(reason.text(language))}" for reason in version.trust.reasons),
        f"## {t('modelcard.memory')}",
        memory_text(record, language),
        f"## {t('modelcard.settings')}",
        _settings(record, language),
        f"## {t('modelcard.cost')}",
        t("modelcard.cost.text", **{name: say_number(number, language) for name, number in cost.items()}),
        f"## {t('modelcard.files')}",
        _table(sorted(record.checksums.items()), (t("modelcard.file"), "SHA-256")),
        t("modelcard.digest", digest=version.digest),
    ]
    return "\n\n".join(parts) + "\n"


def memory_text(record: ModelRecord, language: str = DEFAULT_LANGUAGE) -> str:
    """Return what was found when a model's loss was tried on who was in its training, or that it was not tried."""
    memory = record.memory
    if memory is None:
        return translate("memory.untried", language, fewest=FEWEST_TRIED)
    interval = {name: f"{getattr(memory, name):.2f}" for name in ("auc", "low", "high")}
    counts = {name: say_count(getattr(memory, name), language) for name in ("members", "nonmembers")}
    sentences = [
        translate(f"memory.{memory.outcome}", language),
        translate("memory.auc", language, **interval, **counts),
    ]
    if memory.tpr_at_1pct is not None:
        sentences.append(translate("memory.tpr", language, share=say_share(memory.tpr_at_1pct, 1)))
    return say_together([*sentences, translate("memory.measured", language)], language)


def plain(text: str) -> str:
    """Return text so that no part of it is read as Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>$~])", r"\\\1", text)


def _kind(model: str, language: str) -> str:
    return translate(f"model.{model}", language) if has(f"model.{model}", language) else plain(model)


def _data(version: Version, language: str) -> list[tuple[str, str]]:
    record = version.record
    rows = {
        "dataset": plain(record.dataset.name),
        "data": f"`{version.data_hash}`",
        "cutoff": record.cutoff.isoformat(),
        "horizon": translate("unit.days", language, n=record.horizon_days),
        "currency": plain(record.currency) or "-",
        "created": f"{record.created[:16].replace('T', ' ')} (UTC)",
        "code": plain(record.code_version),
        "source": translate(f"modelcard.source.{version.source}", language),
    }
    if (sampled := record.sampled) is not None:
        share = f"{100 * sampled.fraction:.3g}"
        counts = {key: say_number(getattr(sampled, key), language) for key in SAMPLE_COUNTS}
        rows["sampled"] = translate("modelcard.sampled", language, share=share, **counts)
    return [(translate(f"modelcard.fact.{key}", language), value) for key, value in rows.items()]


def _quality(version: Version, language: str) -> list[str]:
    """Return the metrics of the holdout with the baselines', or that there are none."""
    record = version.record
    holdout = record.holdout
    if not holdout:
        return [translate("modelcard.quality.none", language)]
    counts = {"customers": say_count(holdout.customers, language), "buyers": say_count(holdout.buyers, language)}
    models = {_kind(record.model, language): record.metrics}
    models |= {_kind(name, language): metrics for name, metrics in record.baselines.items() if name != record.model}
    rows = [
        (
            translate(f"metric.{name}", language),
            *(_figure(name, metrics, record.currency, language) for metrics in models.values()),
        )
        for name in SHOWN
        if name in record.metrics
    ]
    return [
        translate("modelcard.quality.text", language, cutoff=holdout.cutoff.isoformat(), **counts),
        _table(rows, (translate("column.metric", language), *models)),
    ]


def _figure(name: str, metrics: dict[str, float], currency: str, language: str) -> str:
    return format_metric(name, metrics[name], plain(currency), language) if name in metrics else "–"


def _settings(record: ModelRecord, language: str) -> str:
    """Return the settings that are not the default."""
    defaults = TrainConfig(horizon_days=record.horizon_days, model=record.model).to_json()
    changed = [(f"`{name}`", f"`{value}`") for name, value in record.config.items() if defaults.get(name) != value]
    if not changed:
        return translate("modelcard.settings.usual", language)
    return _table(changed, (translate("modelcard.setting", language), translate("modelcard.value", language)))


def _table(rows: list[Any], head: tuple[str, ...]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
