"""The demo: a simulated shop's log, and the workspace that CLV Studio made of it, ready to be shown.

assets/sample/events.parquet        the shop's log (its README is the data card)
assets/sample/next_quarter.csv.gz   the three months after it, as the shop's other system exports them
assets/sample/customers.parquet     e-mails and consent
assets/sample/voucher_test.csv.gz   who was in the voucher test
assets/sample/spend.csv             what the paid channels cost by month
assets/demo/record.json             dataset, its version, models, settings, and how it was made
assets/demo/workspace/              files of a workspace: models, scores, explanations, monitoring and so on
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core import columns
from clv_core.collection import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate, store_spend
from clv_core.collection.simulate.shop_scenarios import voucher_date
from clv_core.collection.store import Dataset, Roles, list_datasets, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment import Bundle, Scored, open_bundle
from clv_core.deployment.registry import Registry
from clv_core.errors import NotFound, Refused
from clv_core.jobs import Progress
from clv_core.preprocessing import append
from clv_core.preprocessing.add_customers import add_customers
from clv_core.program_files import ASSETS
from clv_core.records import JsonObject
from clv_core.strategy.acquisition import SpendSettings, read_spends, save_spend
from clv_core.strategy.campaigns import CAMPAIGN_DAYS, add_experiment, list_campaigns
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

FILES: Final = ASSETS / "sample"
SAMPLE: Final = FILES / "events.parquet"
NEXT_QUARTER: Final = FILES / "next_quarter.csv.gz"
CUSTOMERS: Final = FILES / "customers.parquet"
VOUCHER_TEST: Final = FILES / "voucher_test.csv.gz"
SPEND: Final = FILES / "spend.csv"
NAME: Final = "sample"
CURRENCY: Final = "EUR"
"""Of the sample's amounts; nothing in the simulation depends on it."""
PLAN: Final = SimulationPlan(customers=22_000, days=1004, seed=7, horizon_days=92)
SHIPPED: Final = ASSETS / "demo"
RECORD: Final = "record.json"
SETTINGS: Final = TrainConfig(horizon_days=90, model="blend", ensemble=1)
"""The default model; one network of each kind instead of four keeps the bundle under 3 MB."""
VOUCHER: Final = "Voucher 10 EUR"
"""The campaign that the voucher test is."""
VOUCHER_COST: Final = 2.5
"""Of a voucher, as one in four is redeemed."""
MARGIN_RATE: Final = 0.4
"""Share of the sample's revenue that is margin; a guess, so that the campaign has a result after costs."""
GERMAN: Final = {
    columns.CUSTOMER_ID: "Kundennummer",
    columns.EVENT_TIME: "Zeitpunkt",
    columns.EVENT_TYPE: "Ereignis",
    columns.AMOUNT: "Betrag",
    columns.ORDER_ID: "Bestellnummer",
    columns.PRODUCT_ID: "Artikel",
    columns.CATEGORY: "Kategorie",
    columns.QUANTITY: "Menge",
    columns.UNIT_PRICE: "Einzelpreis",
    columns.DISCOUNT: "Rabatt",
    columns.RATING: "Sterne",
    columns.REVIEW_TEXT: "Bewertungstext",
    columns.CHANNEL: "Kanal",
    columns.COUNTRY: "Lieferland",
    columns.SESSION_ID: "Sitzung",
}
GERMAN_EVENTS: Final = {
    columns.VIEW: "Ansicht",
    columns.CART: "Warenkorb",
    columns.PURCHASE: "Kauf",
    columns.RETURN: "Retoure",
    columns.RATING_EVENT: "Bewertung",
    columns.REVIEW: "Rezension",
}
FIRST_NAMES: Final = ("anna", "ben", "clara", "david", "emma", "felix", "greta", "hugo", "ida", "jonas", "lea")
LAST_NAMES: Final = ("dubois", "fischer", "jansen", "koch", "leroy", "meyer", "novak", "smit", "wagner", "wolf")
CONSENTING: Final = 0.78
"""Share of customers who agreed to be contacted; a guess that makes lists visibly shorter."""


def add_demo(workspace: Workspace, *, folder: Path = SHIPPED, progress: Progress) -> tuple[Dataset, Bundle]:
    """Read the sample into a workspace, its next quarter, customers and spend too, and add what was made of it.

    Args:
        workspace: where they go; a dataset ``sample`` gets new versions.
        folder: what :func:`save_demo` wrote.
        progress: listener.

    Returns:
        The dataset, and its current model.

    Raises:
        NotFound: there is no such folder.
        Refused: it was made from another sample than the one that ships.
    """
    if not (folder / RECORD).is_file():
        raise NotFound("demo_missing", folder=str(folder))
    record = read_json(folder / RECORD)
    read_sample(workspace, progress)
    dataset = grow_sample(workspace, progress)
    if dataset.version != record["version"]:
        raise Refused("demo_other_sample", found=dataset.version, needed=record["version"])
    for source in (folder / "workspace").rglob("*"):
        if source.is_file():
            with atomic_path(workspace.root / source.relative_to(folder / "workspace")) as temporary:
                shutil.copyfile(source, temporary)
    (spend,) = read_spends([SPEND], [], SpendSettings(currency=CURRENCY))
    save_spend(dataset, spend)
    registry = Registry(workspace)
    for model in record["models"]:
        version = registry.register(open_bundle(workspace, model), source="imported")
    if version.role != "champion":
        registry.promote(version.name, version.number)
    bundle = open_bundle(workspace, version.bundle)
    scored = Scored.of(workspace, dataset, bundle)
    if all(campaign.name != VOUCHER for campaign in list_campaigns(dataset)):
        add_experiment(
            scored,
            VOUCHER,
            VOUCHER_TEST,
            cost=VOUCHER_COST,
            margin_rate=MARGIN_RATE,
            window_days=CAMPAIGN_DAYS,
            progress=progress,
        )
    return dataset, bundle


def added_model(workspace: Workspace) -> str | None:
    """Return the current model of the demo where it is in the workspace as it ships, else None."""
    record = read_json(SHIPPED / RECORD) if (SHIPPED / RECORD).is_file() else {}
    is_sample = record and any(dataset.version == record["version"] for dataset in list_datasets(workspace))
    if not is_sample or not all((workspace.models / model).is_dir() for model in record["models"]):
        return None
    return str(record["models"][-1])


def shown_customer() -> str:
    """Return the id of the customer whom the tour shows."""
    return str(read_json(SHIPPED / RECORD)["customer"])


def read_sample(workspace: Workspace, progress: Progress) -> Dataset:
    """Read the sample's log into a workspace, and return the dataset."""
    ingest(workspace, SAMPLE, NAME, currency=CURRENCY, progress=progress)
    return open_dataset(workspace, NAME)


def grow_sample(workspace: Workspace, progress: Progress) -> Dataset:
    """Append the next quarter to the sample, add its customers table, and return the dataset."""
    append(workspace, NAME, NEXT_QUARTER, answers=Answers(mapping=GERMAN), progress=progress)
    add_customers(workspace, NAME, CUSTOMERS, Roles(), progress=progress)
    return open_dataset(workspace, NAME)


def copy_sample(folder: Path) -> list[Path]:
    """Copy the sample's files and its data card into a new folder, and return their paths there.

    Raises:
        Refused: the folder exists.
    """
    if folder.exists():
        raise Refused("out_exists", path=str(folder))
    with atomic_path(folder) as temporary:
        shutil.copytree(FILES, temporary, copy_function=shutil.copyfile)
    return sorted(folder.iterdir())


def save_demo(workspace: Workspace, paths: Iterable[Path], folder: Path, about: JsonObject) -> None:
    """Write files of a workspace into ``folder``, replacing its content.

    Args:
        workspace: where the demo was made.
        paths: what of it ships, files or folders.
        folder: where to.
        about: the record.
    """
    with atomic_path(folder) as temporary:
        for path in paths:
            target = temporary / "workspace" / path.relative_to(workspace.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, ignore=shutil.ignore_patterns("*.lock"))
            else:
                shutil.copyfile(path, target)
        for path in temporary.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        write_json(temporary / RECORD, about)
        shutil.rmtree(folder, ignore_errors=True)


def make_sample(folder: Path) -> None:
    """Simulate the shop; write its log up to the cutoff, the quarter after it, customers, voucher test and spend."""
    made = simulate("store", PLAN)
    before = made.events[columns.EVENT_TIME] < pd.Timestamp(PLAN.cutoff)
    folder.mkdir(parents=True, exist_ok=True)
    packed: JsonObject = {"index": False, "compression": "zstd", "compression_level": 19}
    made.events[before].sort_values([columns.CUSTOMER_ID, columns.EVENT_TIME], kind="stable").to_parquet(
        folder / SAMPLE.name, **packed
    )
    gzip: JsonObject = {"index": False, "compression": {"method": "gzip", "mtime": 0}}
    _in_german(made.events[~before]).to_csv(folder / NEXT_QUARTER.name, sep=";", decimal=",", **gzip)
    numbers = np.arange(PLAN.customers)
    first, last = np.array(FIRST_NAMES)[numbers % 11], np.array(LAST_NAMES)[numbers // 11 % 10]
    mails = [
        f"{given}.{family}.{number}@example.com" for given, family, number in zip(first, last, numbers, strict=True)
    ]
    has_consent = np.random.default_rng([PLAN.seed, 2]).uniform(size=PLAN.customers) < CONSENTING
    people = pd.DataFrame(
        {columns.CUSTOMER_ID: PLAN.customer_ids(), "email": mails, "consent": np.where(has_consent, "yes", "no")}
    )
    people.to_parquet(folder / CUSTOMERS.name, **packed)
    tested = made.truth[made.truth["voucher"].notna()]
    sent = np.where(tested["voucher"].astype(bool), "offer", "control")
    test = pd.DataFrame({columns.CUSTOMER_ID: tested[columns.CUSTOMER_ID], "group": sent, "date": voucher_date(PLAN)})
    test.to_csv(folder / VOUCHER_TEST.name, **gzip)
    store_spend(PLAN, made.events).to_csv(folder / SPEND.name, index=False, lineterminator="\n")


def _in_german(events: pd.DataFrame) -> pd.DataFrame:
    """Return a log with German names of columns and events, days first, and integers without a decimal."""
    localised = events.assign(
        event_time=events[columns.EVENT_TIME].dt.strftime("%d.%m.%Y %H:%M:%S"),
        event_type=events[columns.EVENT_TYPE].map(GERMAN_EVENTS),
        quantity=events[columns.QUANTITY].astype("Int64"),
        rating=events[columns.RATING].astype("Int64"),
    )
    return localised.rename(columns=GERMAN)
