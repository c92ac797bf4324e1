"""Why a customer who was sent is worth what the model says: Shapley values over groups of features.

She is compared with twenty customers of the log who together stand for all. They are read at the log's end, and moved
to the day that is asked for: how long everyone has been silent since the log ended is no reason.
"""

from __future__ import annotations

from datetime import date
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from clv_core.columns import COLUMNS, CUSTOMER_ID, EVENT_TIME
from clv_core.deployment.api.request_events import Person, columns_of, row_of, second_of, wanted
from clv_core.deployment.api.scorer import Scorer
from clv_core.evaluation.explain.background import background_rows
from clv_core.evaluation.explain.mix import Mixer
from clv_core.evaluation.explain.shapley import shapley
from clv_core.features.behaviour import FEATURES
from clv_core.features.labels import group_label
from clv_core.features.log import open_log
from clv_core.features.relations import DAY_SECONDS, day_of
from clv_core.features.signals import PREFIX
from clv_core.i18n import translate

TOP: Final = 5
PERMUTATIONS: Final = 2
SAMPLE: Final = 1_000
"""Customers of the log among whom the background is chosen."""

_lock = Lock()
_known: WeakKeyDictionary[Any, list[Person]] = WeakKeyDictionary()


def reasons_of(scorer: Scorer, person: Person, as_of: date, language: str) -> dict[str, Any]:
    """Return ``base`` and the strongest ``reasons`` of a prediction, in the log's currency.

    What the reasons beyond the strongest add is the last one, ``rest``, so that base + sum is the prediction.
    """
    background = background_of(scorer)
    moved = (day_of(as_of) - day_of(scorer.around.cutoff)) * DAY_SECONDS
    others = [Person("", [second + moved for second in one.seconds], one.events, one.attributes) for one in background]
    people = [person, *others]
    pool = scorer.snapshot(columns_of(people), [one.attributes for one in people], as_of, frozenset(FEATURES))
    mixer = Mixer(pool)
    values, base = shapley(
        lambda origins: scorer.answer(mixer.snapshot(origins)).predicted_clv,
        mixer.codes[:1],
        mixer.codes[1:],
        [person.customer_id],
        permutations=PERMUTATIONS,
        seed=scorer.config.seed,
    )
    order = np.argsort(-np.abs(values[0]), kind="stable")
    reasons = [(mixer.parts[at].id, float(values[0][at])) for at in order[:TOP]]
    said = [{"part": part, "label": group_label(part, language), "value": value} for part, value in reasons]
    rest = float(values[0][order[TOP:]].sum())
    said.append({"part": "rest", "label": translate("service.reasons.rest", language), "value": rest})
    return {"base": base, "reasons": said}


def background_of(scorer: Scorer) -> list[Person]:
    """Return the customers that others are compared with, read from the log when it is first asked for."""
    with _lock:
        if scorer not in _known:
            _known[scorer] = _read(scorer)
        return _known[scorer]


def _read(scorer: Scorer) -> list[Person]:
    people = _sample(scorer)
    attributes = [one.attributes for one in people]
    predicted = scorer.predict(columns_of(people), attributes, scorer.around.cutoff).predicted_clv
    return [people[row] for row in background_rows(predicted, scorer.config.seed)]


def _sample(scorer: Scorer) -> list[Person]:
    """Return customers of the log, spread evenly over their ids."""
    dataset, cutoff, config = scorer.dataset, scorer.around.cutoff, scorer.config
    log = open_log(dataset, before=cutoff, **config.of_log())
    try:
        everyone = log.holder.customer_ids
        rows = np.unique(np.linspace(0, len(everyone) - 1, min(SAMPLE, len(everyone))).astype(np.int64))
        signals = {
            one.name.removeprefix(PREFIX): list(one.at(day_of(cutoff), np.arange(len(everyone)))[rows])
            for one in log.signals
            if one.name.startswith(PREFIX)
        }
        events = dataset.events(log.connection)
        chosen = events.filter(events[CUSTOMER_ID].isin(everyone[rows].tolist()), events[EVENT_TIME] < cutoff)
        found = chosen.select(*(column.name for column in COLUMNS)).order_by(EVENT_TIME).to_pyarrow().to_pylist()
    finally:
        log.close()
    own: dict[str, list[dict[str, Any]]] = {}
    for event in found:
        if wanted(event, config.event_types):
            own.setdefault(event[CUSTOMER_ID], []).append(event)
    attributes = [{name: values[place] for name, values in signals.items()} for place in range(len(rows))]
    return [
        Person("", [second_of(event[EVENT_TIME]) for event in own[who]], [row_of(event) for event in own[who]], known)
        for who, known in zip(everyone[rows], attributes, strict=True)
        if who in own
    ]
