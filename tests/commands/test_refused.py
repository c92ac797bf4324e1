"""What commands refuse: the exit code and the error that each says, before anything is written."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.commands.conftest import Shop, refused

BEGIN = {
    "backtest": "backtest shop --horizon-days 60 --out out",
    "explain": "explain shop --model {model} --out why",
    "explore": "explore shop",
    "export": "export shop --model {model} --format csv --out list.csv",
    "merge": "merge",
    "plan": "plan shop --model {model} --budget 40 --offer name=Mail,cost=0.05,effect=2% --out plan.csv",
    "pretrain": "pretrain --out out",
    "price": "price shop --model {model} --out prices.csv",
    "recommend": "recommend shop --model {model} --out list.csv",
    "report": "report shop --model {model}",
    "score": "score --model {model}",
    "segment": "segment shop --model {model} --out tiers.csv",
    "train": "train shop --horizon-days 60",
}
FILES = {
    "no_consent.csv": "customer_id,email\n1,a@b.cd\n",
    "no_id.csv": "name,email\nx,a@b.cd\n",
    "twice.csv": "customer_id,email,consent\n1,a@b.cd,yes\n1,b@b.cd,yes\n",
    "bad_lines.csv": 'customer_id,email,consent\n1,a@b.cd,yes\n2,"b@b.cd,yes\n3,c@b.cd,yes\n',
    "nobody.csv": "customer_id,email,consent\nnobody,a@b.cd,yes\n",
    "list_no_ids.csv": "name,offer\nAnna,a\n",
    "list_twice.csv": "customer_id,offer\n{id},a\n{id},b\n",
    "list_nobody.csv": "customer_id\nnobody\n",
}
REFUSED = [
    ("segment --scheme quantile:60,30", 2, "scheme_percents"),
    ("segment --segment planet=Mars", 2, "condition_column"),
    ("segment --segment predicted_clv>1e12", 4, "segment_empty"),
    ("segment --out tiers.doc", 2, "segment_out"),
    ("segment --out ../folder.csv", 2, "path_refused"),
    ("segment --scheme mood", 2, "scheme_unknown"),
    ("segment --scheme clusters:99", 2, "scheme_clusters"),
    ("segment --scheme quadrant:p=3", 2, "scheme_quadrant"),
    ("segment --scheme rules:nowhere.json", 4, "no_rules"),
    ("segment --scheme quadrant --segment winback", 4, "segment_value"),
    ("segment --segment tier=9 --segment predicted_clv>0", 4, "segment_value"),
    ("segment --segment tier=1 --segment customer_id=nobody", 4, "segment_empty"),
    ("export --out x.xlsx", 2, "export_ending"),
    ("export --format hubspot --out x", 2, "export_ending"),
    ("export --suppress nofile.txt", 4, "suppress_missing"),
    ("export --format hubspot --customers ../files/no_consent.csv", 3, "contacts_no_consent"),
    ("export --format hubspot --customers ../files/no_id.csv", 4, "contacts_no_id"),
    ("export --format hubspot --customers ../files/twice.csv", 4, "contacts_id_twice"),
    ("export --format hubspot --customers ../files/bad_lines.csv", 4, "contacts_bad_lines"),
    ("export --format hubspot --customers ../files/nobody.csv", 4, "export_too_few"),
    ("export --format hubspot --customers ../files/none.csv", 4, "contacts_missing"),
    ("export --list ../files/list_no_ids.csv", 4, "list_no_ids"),
    ("export --list ../files/list_twice.csv", 4, "list_twice"),
    ("export --list ../files/list_nobody.csv", 4, "list_nobody"),
    ("plan --offer Voucher", 2, "offer_text"),
    ("plan --offer name=Mail,cost=0.05,effect=2%", 2, "offer_twice"),
    ("plan --offer name=Far,cost=1,effect=5%,tiers=9", 2, "offer_tier"),
    ("plan --scheme quadrant --offer name=No,cost=1,effect=5:20%", 2, "offer_tier"),
    ("plan --offer name=Tried,cost=1,effect=@none.csv", 4, "experiment_missing"),
    ("plan --control-share 20", 2, "experiment_share"),
    ("plan --budget -1", 2, "budget_bounds"),
    ("plan --budget 0", 4, "plan_empty"),
    ("plan --margin-rate 30", 2, "bad_rates"),
    ("plan --discount-rate -1", 2, "bad_rates"),
    ("plan --out plan.doc", 2, "segment_out"),
    ("report --out report.docx", 2, "report_out"),
    ("report --out report.pptx --budget 50", 2, "report_plan"),
    ("report --out report.pptx --offer name=A,cost=1,effect=5%", 2, "report_plan"),
    ("report --out report.pptx --offer name=A,cost=1,effect=5% --budget 0", 4, "plan_empty"),
    ("recommend --out list.doc", 2, "segment_out"),
    ("recommend --top 0", 2, "setting_bounds"),
    ("price --change 1=-10", 2, "price_needs_margin"),
    ("price --change 9=-10 --margin-rate 0.5", 2, "price_change_text"),
    ("price --change 1=-90 --margin-rate 0.5", 2, "price_change"),
    ("explain --customer nobody", 4, "customer_unknown"),
    ("explain --sample 0", 2, "setting_bounds"),
    ("explain --cutoff 1990-01-01", 4, "log_empty_before"),
    ("explore --channel fax", 2, "explore_option"),
    ("explore --start 2031-01-01", 2, "explore_period"),
    ("backtest --models bgnbd,lightgbm --folds 1", 2, "setting_bounds"),
    ("backtest --models bgnbd,lightgbm --folds 3", 2, "folds_need_model"),
    ("backtest --models bgnbd --variant review_text=false", 2, "variant_needs_model"),
    ("backtest --models hybrid --variant horizon_days=30", 2, "variant_fixed"),
    ("backtest --models hybrid --variant review_text", 2, "setting_pair"),
    ("backtest --models hybrid --variant colour=red", 2, "setting_unknown"),
    ("pretrain --steps 0", 2, "setting_bounds"),
    ("pretrain --minutes -1", 2, "setting_bounds"),
    ("score --out o.csv", 2, "dataset_or_events"),
    ("score shop --events e --out o", 2, "dataset_or_events"),
    ("score --events ../files --out o --model champion", 2, "role_of_what"),
    ("score shop --shard 1/3 --out o.csv", 2, "shard_without_events"),
    ("score --events e --shard 4/3 --out o", 2, "bad_shard"),
    ("score shop --estimate --out o.csv", 2, "estimate_without_events"),
    ("score shop --core-hour-price 1 --out o.csv", 2, "price_without_estimate"),
    ("score --events e --estimate --core-hour-price -1", 2, "usage"),
    ("score shop", 2, "score_out"),
    ("merge o --out o.doc", 2, "bad_out"),
    ("merge o --out o.csv", 4, "no_shard_plan"),
    ("train --customers 10", 2, "customers_without_events"),
    ("train --customers 0 --events e", 2, "usage"),
]


@pytest.mark.parametrize(("words", "code", "error"), REFUSED, ids=[words for words, _, _ in REFUSED])
def test_what_is_asked_wrongly_is_refused_in_words_and_nothing_is_written(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int, error: str
) -> None:
    here, files = tmp_path / "here", tmp_path / "files"
    for folder in (here, files, tmp_path / "folder.csv"):
        folder.mkdir()
    for name, text in FILES.items():
        (files / name).write_text(text.replace("{id}", shop.scores()["customer_id"][0]), encoding="utf-8")
    monkeypatch.chdir(here)
    command, _, rest = words.partition(" ")
    asked = BEGIN[command].format(model=shop.model.id)
    assert refused(shop.workspace, *shlex.split(f"{asked} {rest} --lang zh")) == (code, error)
    assert list(here.iterdir()) == [] and len(list(files.iterdir())) == len(FILES)
