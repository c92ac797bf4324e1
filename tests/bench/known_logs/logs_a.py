"""Invented logs with known totals. Each: function(folder) -> (paths, truth, answers to give once if it is asked)."""

import json, datetime as dt, random, io, zipfile
from pathlib import Path
import numpy as np, pandas as pd

CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


def base(seed=0, n=150, mean=2.2, days=540, start="2022-03-01", lo=0.0):
    r = np.random.default_rng(seed)
    rows = []
    o = 1000
    for c in range(n):
        k = 1 + r.poisson(mean)
        for d in sorted(r.uniform(0, days, k)):
            t = pd.Timestamp(start) + pd.Timedelta(seconds=int(d * 86400))
            rows.append((f"K{c + 1001}", t, round(float(np.exp(r.normal(3.6, 0.8))) + lo, 2), f"O{o}"))
            o += 1
    df = (
        pd.DataFrame(rows, columns=["cust", "t", "amt", "order"]).sort_values("t", kind="stable").reset_index(drop=True)
    )
    return df


def truth(df, net=None, purch=None, cust=None):
    return dict(
        net=round(float(df.amt.sum() if net is None else net), 2),
        purchases=int(len(df) if purch is None else purch),
        customers=int(df.cust.nunique() if cust is None else cust),
    )


def w(d, name, text, enc="utf-8"):
    p = d / name
    p.write_bytes(text.encode(enc))
    return [p]


def lines(h, rows, sep=","):
    return sep.join(h) + "\n" + "".join(sep.join(map(str, x)) + "\n" for x in rows)


def eu(x, th=""):
    s = f"{x:,.2f}"
    return s.replace(",", "\0").replace(".", ",").replace("\0", th)


@case
def n01_plain(d):
    b = base(1)
    return (
        w(d, "a.csv", lines(["customer_id", "order_date", "amount", "order_id"], zip(b.cust, b.t, b.amt, b.order))),
        truth(b),
        None,
    )


@case
def n02_german(d):
    b = base(2)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["Kunde", "Datum", "Betrag", "Auftrag"],
                [(c, t.strftime("%d.%m.%Y"), eu(a), o) for c, t, a, o in b.values],
                ";",
            ),
            "cp1252",
        ),
        truth(b),
        None,
    )


@case
def n03_german_thousands(d):
    b = base(3)
    b.amt = (b.amt * 40).round(2)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["Kundennr", "Bestelldatum", "Umsatz"],
                [(c, t.strftime("%d.%m.%Y %H:%M"), eu(a, ".")) for c, t, a, o in b.values],
                ";",
            ),
        ),
        truth(b),
        None,
    )


@case
def n04_french_nbsp(d):
    b = base(4)
    b.amt = (b.amt * 40).round(2)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["client", "date", "montant"],
                [(c, t.strftime("%d/%m/%Y %H:%M"), eu(a, "\u202f") + " €") for c, t, a, o in b.values],
                ";",
            ),
        ),
        truth(b),
        None,
    )


@case
def n05_swiss(d):
    b = base(5)
    b.amt = (b.amt * 40).round(2)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["Kunde", "Datum", "Betrag CHF"],
                [(c, t.strftime("%d.%m.%Y"), f"{a:,.2f}".replace(",", "’")) for c, t, a, o in b.values],
                ";",
            ),
        ),
        truth(b),
        None,
    )


@case
def n06_lakh(d):
    def lakh(x):
        i, f = f"{x:.2f}".split(".")
        if len(i) > 3:
            h, t = i[:-3], i[-3:]
            g = []
            while len(h) > 2:
                g.insert(0, h[-2:])
                h = h[:-2]
            if h:
                g.insert(0, h)
            i = ",".join(g + [t])
        return i + "." + f

    b = base(6)
    b.amt = (b.amt * 4000).round(2)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount"],
                [(c, t.strftime("%d-%m-%Y"), '"₹' + lakh(a) + '"') for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n07_ambiguous_dates(d):
    b = base(7)
    b.t = [pd.Timestamp(2023, (i % 12) + 1, (i * 7 % 12) + 1) for i in range(len(b))]
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t.strftime("%d/%m/%Y"), a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        dict(date_order="dmy"),
    )


@case
def n08_dayfirst_plain(d):
    b = base(8)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t.strftime("%d/%m/%y"), a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n09_us_dates_ampm(d):
    b = base(9)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["Customer ID", "Order Date", "Total"],
                [(c, t.strftime("%-m/%-d/%Y %I:%M %p"), f'"${a:,.2f}"') for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n10_currency_column(d):
    b = base(10)
    cur = ["EUR", "USD", "JPY"]
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "order_date", "amount", "currency", "order_id"],
                [(c, t, a, cur[i % 3], o) for i, (c, t, a, o) in enumerate(b.values)],
            ),
        ),
        dict(net=None, purchases=len(b), customers=b.cust.nunique()),
        None,
    )


@case
def n11_currency_signs_mixed(d):
    b = base(11)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "order_date", "amount", "order_id"],
                [(c, t, ("€" if i % 4 else "$") + str(a), o) for i, (c, t, a, o) in enumerate(b.values)],
            ),
        ),
        dict(net=None, purchases=len(b), customers=b.cust.nunique()),
        None,
    )


@case
def n12_cents_named(d):
    b = base(12)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "created_at", "amount_cents", "order_id"],
                [(c, t, int(round(a * 100)), o) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        dict(amount_unit="minor"),
    )


@case
def n13_cents_stripe(d):
    b = base(13)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["id", "customer", "created", "amount", "currency", "status"],
                [
                    ("ch_" + o, "cus_" + c, int(t.timestamp()), int(round(a * 100)), "usd", "succeeded")
                    for c, t, a, o in b.values
                ],
            ),
        ),
        truth(b),
        dict(amount_unit="minor"),
    )


@case
def n14_offsets_dst(d):
    b = base(14)
    b.t = b.t.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "event_time", "amount", "order_id"],
                [(c, t.isoformat(), a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b) | dict(first=b.t.min().tz_convert("UTC")),
        None,
    )


@case
def n15_epoch_ms_float(d):
    b = base(15)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "ts", "amount", "order_id"],
                [(c, f"{t.timestamp() * 1000:.5E}".replace("E+", "E+"), a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n16_excel_serial(d):
    b = base(16)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [
                    (c, round((t - pd.Timestamp("1899-12-30")).total_seconds() / 86400, 5), a, o)
                    for c, t, a, o in b.values
                ],
            ),
        ),
        truth(b) | dict(first=b.t.min().tz_localize("UTC")),
        None,
    )


@case
def n17_xlsx_total_row(d):
    b = base(17)
    x = pd.DataFrame({"Customer": b.cust, "Date": b.t, "Amount": b.amt, "Order": b.order})
    x.loc[len(x)] = ["Total", pd.NaT, b.amt.sum(), ""]
    p = d / "a.xlsx"
    x.to_excel(p, index=False)
    return [p], truth(b), None


@case
def n18_totals_with_date(d):
    b = base(18)
    t = lines(["customer_id", "date", "amount"], [(c, t.strftime("%Y-%m-%d"), a) for c, t, a, o in b.values])
    t += f"Total,{b.t.max():%Y-%m-%d},{b.amt.sum():.2f}\n"
    return w(d, "a.csv", t), truth(b), None


@case
def n19_monthly_subtotals(d):
    b = base(19)
    out = []
    for m, g in b.groupby(b.t.dt.to_period("M")):
        out += [(c, t.strftime("%Y-%m-%d"), a, o) for c, t, a, o in g.values]
        out.append(("Subtotal", m.end_time.strftime("%Y-%m-%d"), round(g.amt.sum(), 2), ""))
    return w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], out)), truth(b), None


@case
def n20_header_row3(d):
    b = base(20)
    return (
        w(
            d,
            "a.csv",
            "Sales report 2022-2023,,,\n,,,\n"
            + lines(["customer_id", "date", "amount", "order_id"], [(c, t, a, o) for c, t, a, o in b.values]),
        ),
        truth(b),
        None,
    )


@case
def n21_units_row(d):
    b = base(21)
    return (
        w(
            d,
            "a.csv",
            "customer_id,date,amount,order_id\ntext,YYYY-MM-DD hh:mm:ss,EUR,text\n"
            + "".join(f"{c},{t},{a},{o}\n" for c, t, a, o in b.values),
        ),
        truth(b),
        None,
    )


@case
def n22_two_customers(d):
    b = base(22)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["order_id", "account_id", "customer_id", "date", "amount"],
                [(o, "AC" + str(int(c[1:]) % 40), c, t, a) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n22b_billto_shipto(d):
    b = base(221)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["order_id", "bill_to_customer", "ship_to_customer", "date", "amount"],
                [(o, c, "S" + str(int(c[1:]) % 97), t, a) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


def with_returns(seed):
    b = base(seed)
    r = np.random.default_rng(seed)
    k = r.choice(len(b), 60, replace=False)
    ret = b.loc[k].copy()
    ret.t = ret.t + pd.to_timedelta(r.integers(3, 30, 60), unit="D")
    return b, ret


@case
def n23_refund_rows_positive(d):
    b, ret = with_returns(23)
    rows = [(c, t, "sale", a, o) for c, t, a, o in b.values] + [(c, t, "refund", a, o) for c, t, a, o in ret.values]
    rows.sort(key=lambda x: x[1])
    return (
        w(d, "a.csv", lines(["customer_id", "date", "type", "amount", "order_id"], rows)),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n24_neg_qty_pos_amount(d):
    b, ret = with_returns(24)
    rows = [(c, t, a, 1, o) for c, t, a, o in b.values] + [(c, t, a, -1, "R" + o) for c, t, a, o in ret.values]
    rows.sort(key=lambda x: x[1])
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount", "quantity", "order_id"], rows)),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n25_neg_qty_unit_price(d):
    b, ret = with_returns(25)
    rows = [(c, t, a, 2, o) for c, t, a, o in b.values] + [(c, t, a, -2, "C" + o) for c, t, a, o in ret.values]
    rows.sort(key=lambda x: x[1])
    return (
        w(d, "a.csv", lines(["customer_id", "date", "unit_price", "quantity", "order_id"], rows)),
        truth(b, net=2 * (b.amt.sum() - ret.amt.sum())),
        None,
    )


@case
def n26_both_negative(d):
    b, ret = with_returns(26)
    rows = [(c, t, a, 2, 2 * a, o) for c, t, a, o in b.values] + [
        (c, t, -a, -2, -2 * a, "C" + o) for c, t, a, o in ret.values
    ]
    rows.sort(key=lambda x: x[1])
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "unit_price", "quantity", "line_total", "order_id"],
                [(c, t, p, q, round(l, 2), o) for c, t, p, q, l, o in rows],
            ),
        ),
        truth(b, net=2 * (b.amt.sum() - ret.amt.sum())),
        None,
    )


@case
def n26b_both_negative_no_total(d):
    b, ret = with_returns(261)
    rows = [(c, t, a, 2, o) for c, t, a, o in b.values] + [(c, t, -a, -2, "C" + o) for c, t, a, o in ret.values]
    rows.sort(key=lambda x: x[1])
    return (
        w(d, "a.csv", lines(["customer_id", "date", "unit_price", "quantity", "order_id"], rows)),
        truth(b, net=2 * (b.amt.sum() - ret.amt.sum())),
        None,
    )


@case
def n27_giftcard_sales(d):
    # gift cards sold are no revenue until redeemed; ask or warn expected; here truth = product lines only is debatable -> net None
    b = base(27)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((c, t, "purchase", a, o, "card"))
        if i % 7 == 0:
            rows.append((c, t + pd.Timedelta(minutes=2), "gift_card_redeemed", -round(a / 2, 2), o, "gift"))
    return (
        w(d, "a.csv", lines(["customer_id", "date", "event_type", "amount", "order_id", "tender"], rows)),
        truth(b),
        None,
    )


@case
def n28_concat_twice(d):
    b = base(28)
    t = lines(["customer_id", "order_date", "amount", "order_id"], zip(b.cust, b.t, b.amt, b.order))
    return w(d, "a.csv", t + t), truth(b), None


@case
def n28b_concat_dateonly_noorder(d):
    b = base(281)
    t = lines(["customer_id", "order_date", "amount"], [(c, t.date(), a) for c, t, a, o in b.values])
    return w(d, "a.csv", t + t), truth(b), None


@case
def n29_true_twins(d):
    b = base(29)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows += [(o, c, t, "SKU%d" % (i % 30), 1, a)] * (2 if i % 5 == 0 else 1)
    net = sum(r[5] for r in rows)
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "sku", "quantity", "line_total"], rows)),
        truth(b, net=net, purch=len(b)),
        None,
    )


@case
def n30_ecom_price_on_views(d):
    b = base(30)
    r = np.random.default_rng(30)
    rows = []
    for c, t, a, o in b.values:
        for k in range(r.integers(1, 4)):
            rows.append(
                (t - pd.Timedelta(minutes=int(r.integers(1, 99))), "view", round(float(r.uniform(5, 200)), 2), c)
            )
        rows.append((t, "purchase", a, c))
    rows.sort(key=lambda x: x[0])
    return w(d, "a.csv", lines(["event_time", "event_type", "price", "user_id"], rows)), truth(b), None


@case
def n31_order_total_on_lines(d):
    b = base(31)
    r = np.random.default_rng(31)
    rows = []
    for c, t, a, o in b.values:
        for k in range(r.integers(1, 5)):
            rows.append((o, c, t, f"P{r.integers(50)}", int(r.integers(1, 4)), a))
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "sku", "quantity", "order_total"], rows)),
        truth(b),
        None,
    )


@case
def n31b_order_total_first_line(d):
    b = base(311)
    r = np.random.default_rng(31)
    rows = []
    for c, t, a, o in b.values:
        for k in range(r.integers(1, 5)):
            rows.append((o, c, t, f"P{r.integers(50)}", int(r.integers(1, 4)), a if k == 0 else ""))
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "sku", "quantity", "order_total"], rows)),
        truth(b),
        None,
    )


@case
def n31c_order_total_no_orderid(d):
    b = base(312)
    r = np.random.default_rng(31)
    rows = []
    for c, t, a, o in b.values:
        for k in range(r.integers(1, 5)):
            rows.append((c, t, f"P{r.integers(5000)}", int(r.integers(1, 4)), a))
    return w(d, "a.csv", lines(["customer_id", "date", "sku", "quantity", "order_total"], rows)), truth(b), None


@case
def n32_line_and_order_total(d):
    b = base(32)
    r = np.random.default_rng(32)
    rows = []
    for c, t, a, o in b.values:
        k = int(r.integers(1, 4))
        parts = [round(a / k, 2)] * (k - 1)
        parts.append(round(a - sum(parts), 2))
        for p in parts:
            rows.append((o, c, t, f"P{r.integers(50)}", p, a))
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "sku", "line_total", "order_total"], rows)),
        truth(b),
        None,
    )


@case
def n33_subscription(d):
    r = np.random.default_rng(33)
    rows = []
    net = 0
    n = 0
    inv = 1
    for c in range(120):
        p = [9.99, 19.99, 49.0][c % 3]
        s = pd.Timestamp("2022-01-05") + pd.Timedelta(days=int(r.integers(200)))
        for m in range(int(r.integers(1, 16))):
            st = "paid" if r.random() > 0.12 else r.choice(["failed", "void", "past_due"])
            amt = 0.0 if m == 0 else p
            rows.append(
                (
                    f"in_{inv}",
                    f"cus_{c}",
                    (s + pd.DateOffset(months=m)).strftime("%Y-%m-%d %H:%M:%S"),
                    "trialing" if m == 0 else "active",
                    f"{amt:.2f}",
                    st,
                )
            )
            inv += 1
            if st == "paid":
                net += amt
                n += amt > 0
    return (
        w(
            d,
            "a.csv",
            lines(["invoice_id", "customer_id", "created_at", "subscription_status", "amount", "status"], rows),
        ),
        dict(net=round(net, 2), purchases=None, customers=120),
        None,
    )


@case
def n34_cancelled(d):
    b = base(34)
    st = ["Completed", "Completed", "Completed", "Cancelled"]
    rows = [(o, c, t, a, st[i % 4]) for i, (c, t, a, o) in enumerate(b.values)]
    net = sum(r[3] for r in rows if r[4] == "Completed")
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "total", "status"], rows)),
        dict(net=round(net, 2), purchases=sum(r[4] == "Completed" for r in rows), customers=None),
        None,
    )


@case
def n35_partial_refund_column(d):
    b = base(35)
    rows = [(o, c, t, a, round(a / 3, 2) if i % 6 == 0 else 0) for i, (c, t, a, o) in enumerate(b.values)]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "total", "refunded_amount"], rows)),
        truth(b, net=sum(r[3] - r[4] for r in rows)),
        None,
    )


@case
def n36_tax_columns(d):
    b = base(36)
    rows = [(o, c, t, a, round(a * 0.19, 2), 4.9, round(a * 1.19 + 4.9, 2)) for c, t, a, o in b.values]
    return (
        w(
            d,
            "a.csv",
            lines(["order_id", "customer_id", "date", "total_excl_tax", "tax", "shipping", "total_incl_tax"], rows),
        ),
        dict(
            net=[round(b.amt.sum(), 2), round(sum(r[6] for r in rows), 2)], purchases=len(b), customers=b.cust.nunique()
        ),
        None,
    )


@case
def n37_parentheses(d):
    b, ret = with_returns(37)
    rows = [(c, t, f"{a:.2f}", o) for c, t, a, o in b.values] + [
        (c, t, f"({a:.2f})", "C" + o) for c, t, a, o in ret.values
    ]
    rows.sort(key=lambda x: x[1])
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount", "doc"], rows)),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n38_trailing_minus(d):
    b, ret = with_returns(38)
    rows = [(c, t.strftime("%d.%m.%Y"), eu(a, "."), o) for c, t, a, o in b.values] + [
        (c, t.strftime("%d.%m.%Y"), eu(a, ".") + "-", "C" + o) for c, t, a, o in ret.values
    ]
    return (
        w(d, "a.csv", lines(["Kunde", "Buchungsdatum", "Betrag", "Beleg"], rows, ";")),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n39_point_thousands_only(d):
    b = base(39)
    b.amt = (b.amt * 500).round(0)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["cliente", "fecha", "monto"],
                [(c, t.strftime("%d/%m/%Y"), f"{int(a):,}".replace(",", ".")) for c, t, a, o in b.values],
                ";",
            ),
        ),
        truth(b),
        dict(decimal="comma"),
    )


@case
def n39b_point_thousands_small(d):
    # all between 1.000 and 9.999 -> every value has exactly one point and three digits
    b = base(391)
    b.amt = (1000 + (b.amt * 13) % 8999).round(0)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["cliente", "fecha", "monto"],
                [(c, t.strftime("%d/%m/%Y"), f"{int(a):,}".replace(",", ".")) for c, t, a, o in b.values],
                ";",
            ),
        ),
        truth(b),
        dict(decimal="comma"),
    )


@case
def n40_comma_thousands_only(d):
    b = base(40)
    b.amt = (b.amt * 500).round(0)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer", "date", "amount"],
                [(c, t.strftime("%Y-%m-%d"), f'"{int(a):,}"') for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n41_mixed_decimals(d):
    b = base(41)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t, eu(a) if i % 3 == 0 else f"{a:.2f}", o) for i, (c, t, a, o) in enumerate(b.values)],
                ";",
            ),
        ),
        truth(b),
        None,
    )


@case
def n41b_mixed_thousand_and_decimal(d):
    # US thousands without decimals mixed with decimals: 1,234 and 12.5
    b = base(411)
    b.amt = (b.amt * 20).round(1)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t, f"{a:,.1f}" if i % 2 else f"{round(a):,}", o) for i, (c, t, a, o) in enumerate(b.values)],
                ";",
            ),
        ),
        truth(b, net=sum(a if i % 2 else round(a) for i, a in enumerate(b.amt))),
        None,
    )


@case
def n42_sci_ids(d):
    b = base(42)
    b["cust"] = [f"49{int(c[1:]) * 7919:010d}" for c in b.cust]
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"], [(f"{float(c):.5E}", t, a, o) for c, t, a, o in b.values]
            ),
        ),
        truth(b),
        None,
    )


@case
def n42b_leading_zero_ids(d):
    b = base(421)
    b["cust"] = [f"{int(c[1:]):06d}" if i % 2 else f"{int(c[1:])}" for i, c in enumerate(b.cust)]
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], [(c, t, a, o) for c, t, a, o in b.values])),
        truth(b, cust=len({int(c) for c in b.cust})),
        None,
    )


@case
def n42c_float_ids(d):
    b = base(422)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(f"{c[1:]}.0" if i % 2 else c[1:], t, a, o) for i, (c, t, a, o) in enumerate(b.values)],
            ),
        ),
        truth(b),
        None,
    )


@case
def n43_guests_email(d):
    b = base(43)
    rows = [(o, "" if i % 3 == 0 else c, f"{c.lower()}@x.com", t, a) for i, (c, t, a, o) in enumerate(b.values)]
    return w(d, "a.csv", lines(["order_id", "customer_id", "email", "date", "amount"], rows)), truth(b), None


@case
def n44_email_case(d):
    b = base(44)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["email", "date", "amount", "order_id"],
                [
                    ((f"Ana.{c}@Shop.com" if i % 2 else f"ana.{c}@shop.com".lower()), t, a, o)
                    for i, (c, t, a, o) in enumerate(b.values)
                ],
            ),
        ),
        truth(b),
        None,
    )


@case
def n45_two_dates(d):
    b = base(45)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["ship_date", "order_date", "customer_id", "amount", "order_id"],
                [(t + pd.Timedelta(days=4), t, c, a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b) | dict(first=b.t.min().tz_localize("UTC")),
        None,
    )


@case
def n46_date_time_columns(d):
    b = base(46)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["date", "time", "customer_id", "amount", "order_id"],
                [(t.date(), t.strftime("%H:%M:%S"), c, a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b) | dict(first=b.t.min().tz_localize("UTC")),
        None,
    )


@case
def n47_month_only(d):
    b = base(47)
    return (
        w(
            d,
            "a.csv",
            lines(["month", "customer_id", "amount"], [(t.strftime("%Y-%m"), c, a) for c, t, a, o in b.values]),
        ),
        truth(b),
        None,
    )


@case
def n48_chinese(d):
    b = base(48)
    b.amt = (b.amt * 300).round(2)

    def f(a):
        return f"{a / 1e4:.4f}万元" if a >= 1e4 else f"￥{a:,.2f}"

    net = sum(round(a / 1e4, 4) * 1e4 if a >= 1e4 else a for a in b.amt)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["客户编号", "下单时间", "实付金额"],
                [(c, f"{t.year}年{t.month}月{t.day}日 {t:%H:%M}", '"' + f(a) + '"') for c, t, a, o in b.values],
            ),
            "gb18030",
        ),
        truth(b, net=net),
        None,
    )


@case
def n49_utf16_tab(d):
    b = base(49)
    return (
        w(
            d,
            "a.txt",
            "\ufeff"
            + lines(
                ["Customer", "Date", "Amount"], [(c, t.strftime("%d.%m.%Y"), eu(a)) for c, t, a, o in b.values], "\t"
            ),
            "utf-16-le",
        ),
        truth(b),
        None,
    )


@case
def n50_sep_line(d):
    b = base(50)
    return (
        w(
            d,
            "a.csv",
            "sep=;\n" + lines(["customer_id", "date", "amount"], [(c, t, eu(a)) for c, t, a, o in b.values], ";"),
            "latin-1",
        ),
        truth(b),
        None,
    )


@case
def n51_discount_variants(d):
    b = base(51)
    rows = [(o, c, t, a, 2, -round(a * 0.2, 2)) for c, t, a, o in b.values]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "unit_price", "quantity", "discount"], rows)),
        truth(b, net=sum(r[3] * 2 + r[5] for r in rows)),
        None,
    )


@case
def n51b_discount_percent(d):
    b = base(511)
    rows = [(o, c, t, a, 2, f"{[0, 10, 25][i % 3]}%") for i, (c, t, a, o) in enumerate(b.values)]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "unit_price", "quantity", "discount"], rows)),
        truth(b, net=sum(r[3] * 2 * (1 - int(r[5][:-1]) / 100) for r in rows)),
        None,
    )


@case
def n51c_discount_rate_col(d):
    b = base(512)
    rows = [(o, c, t, a, 2, [0, 0.1, 0.25][i % 3]) for i, (c, t, a, o) in enumerate(b.values)]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "unit_price", "quantity", "discount"], rows)),
        truth(b, net=sum(r[3] * 2 * (1 - r[5]) for r in rows)),
        None,
    )


@case
def n51d_discount_per_unit(d):
    b = base(513)
    rows = [(o, c, t, a, 3, round(a * 0.1, 2)) for i, (c, t, a, o) in enumerate(b.values)]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "unit_price", "quantity", "unit_discount"], rows)),
        truth(b, net=sum((r[3] - r[5]) * 3 for r in rows)),
        None,
    )


@case
def n52_chargebacks(d):
    b, ret = with_returns(52)
    rows = [(c, t, "payment", a, "p" + o) for c, t, a, o in b.values] + [
        (c, t, "chargeback", a, "x" + o) for c, t, a, o in ret.values
    ]
    return (
        w(
            d,
            "a.csv",
            lines(["customer_id", "date", "transaction_type", "amount", "id"], sorted(rows, key=lambda x: x[1])),
        ),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n53_credit_memo(d):
    b, ret = with_returns(53)
    rows = [("Invoice", "INV" + o, c, t.date(), a) for c, t, a, o in b.values] + [
        ("Credit Memo", "CM" + o, c, t.date(), a) for c, t, a, o in ret.values
    ]
    return (
        w(d, "a.csv", lines(["Type", "Num", "Name", "Date", "Amount"], sorted(rows, key=lambda x: x[3]))),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n54_debit_credit(d):
    b, ret = with_returns(54)
    rows = [(c, t.date(), a, "", o) for c, t, a, o in b.values] + [
        (c, t.date(), "", a, "C" + o) for c, t, a, o in ret.values
    ]
    return (
        w(d, "a.csv", lines(["customer", "date", "debit", "credit", "document"], sorted(rows, key=lambda x: x[1]))),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n55_code_prefix(d):
    b = base(55)
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount"], [(c, t, f"EUR {a}") for c, t, a, o in b.values])),
        truth(b),
        None,
    )


@case
def n56_pivot(d):
    b = base(56)
    p = b.pivot_table(index="cust", columns=b.t.dt.strftime("%b %Y"), values="amt", aggfunc="sum").fillna(0).round(2)
    p.to_csv(d / "a.csv")
    return [d / "a.csv"], truth(b), None


@case
def n57_aggregate(d):
    b = base(57)
    g = (
        b.groupby("cust")
        .agg(orders=("amt", "size"), total=("amt", "sum"), last_order=("t", "max"), first_order=("t", "min"))
        .round({"total": 2})
    )
    g.to_csv(d / "a.csv")
    return [d / "a.csv"], truth(b), None


@case
def n58_status_history(d):
    b = base(58)
    rows = []
    for c, t, a, o in b.values:
        for k, s in enumerate(["placed", "paid", "shipped", "delivered"]):
            rows.append((o, c, t + pd.Timedelta(hours=9 * k), s, a))
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "updated_at", "order_status", "amount"], rows)),
        truth(b),
        None,
    )


@case
def n58b_status_events_names(d):
    b = base(581)
    rows = []
    for c, t, a, o in b.values:
        for k, s in enumerate(["order_placed", "payment_captured", "order_shipped", "order_completed"]):
            rows.append((o, c, t + pd.Timedelta(hours=9 * k), s, a))
    return w(d, "a.csv", lines(["order_id", "customer_id", "timestamp", "event", "amount"], rows)), truth(b), None


@case
def n58c_status_events_no_orderid(d):
    b = base(582)
    rows = []
    for c, t, a, o in b.values:
        for k, s in enumerate(["checkout", "purchase", "order_completed"]):
            rows.append((c, t + pd.Timedelta(minutes=k), s, a))
    return w(d, "a.csv", lines(["user_id", "timestamp", "event", "amount"], rows)), truth(b), None


@case
def n59_thai(d):
    b = base(59)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t.strftime("%d/%m/") + str(t.year + 543), a, o) for c, t, a, o in b.values],
            ),
        ),
        truth(b) | dict(first=b.t.min().normalize().tz_localize("UTC")),
        None,
    )


@case
def n60_qty_with_unit(d):
    b = base(60)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "qty", "unit_price", "order_id"],
                [(c, t, f"{1 + i % 3} x", a, o) for i, (c, t, a, o) in enumerate(b.values)],
            ),
        ),
        truth(b, net=sum((1 + i % 3) * a for i, a in enumerate(b.amt))),
        None,
    )


@case
def n61_jsonl_nested(d):
    b = base(61)
    return (
        w(
            d,
            "a.jsonl",
            "".join(
                json.dumps(
                    {"order": {"id": o, "total": a, "currency": "EUR"}, "customer": {"id": c}, "created_at": str(t)}
                )
                + "\n"
                for c, t, a, o in b.values
            ),
        ),
        truth(b),
        None,
    )


@case
def n62_jsonl_lineitems(d):
    b = base(62)
    r = np.random.default_rng(62)
    return (
        w(
            d,
            "a.jsonl",
            "".join(
                json.dumps(
                    {
                        "order_id": o,
                        "customer_id": c,
                        "created_at": str(t),
                        "items": [
                            {"sku": f"S{r.integers(9)}", "price": round(a / 2, 2), "quantity": 1},
                            {"sku": f"S{r.integers(9)}", "price": round(a - round(a / 2, 2), 2), "quantity": 1},
                        ],
                    }
                )
                + "\n"
                for c, t, a, o in b.values
            ),
        ),
        truth(b),
        None,
    )


@case
def n63_stars_dashes(d):
    b = base(63)
    rows = [(c, t, (f"{a:.2f}*" if i % 9 == 0 else f"{a:.2f}"), o) for i, (c, t, a, o) in enumerate(b.values)] + [
        ("K1001", b.t.max(), "—", "Z1"),
        ("K1002", b.t.max(), "n/a", "Z2"),
    ]
    return w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], rows)), truth(b), None


@case
def n64_points(d):
    b = base(64)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((c, t, "purchase", a, o))
        rows.append((c, t, "points_earned", int(a * 10), o))
        if i % 5 == 0:
            rows.append((c, t, "points_redeemed", 500, o))
    return w(d, "a.csv", lines(["member_id", "date", "type", "amount", "ref"], rows)), truth(b), None


@case
def n64b_wallet_topup(d):
    b = base(641)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        if i % 3 == 0:
            rows.append((c, t - pd.Timedelta(minutes=5), "wallet_topup", round(a * 2, 2), "W" + o))
        rows.append((c, t, "order", a, o))
    return w(d, "a.csv", lines(["customer_id", "date", "transaction_type", "amount", "txn_id"], rows)), truth(b), None


@case
def n65_instalments(d):
    b = base(65)
    rows = []
    for c, t, a, o in b.values:
        k = round(a / 3, 2)
        for m in range(3):
            rows.append((o, c, (t + pd.DateOffset(months=m)), k if m < 2 else round(a - 2 * k, 2), f"{m + 1}/3", a))
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "payment_date", "paid", "instalment", "order_total"], rows)),
        truth(b, purch=None),
        None,
    )


@case
def n66_test_orders(d):
    b = base(66)
    rows = [(o, c, t, a, "true" if i % 10 == 0 else "false") for i, (c, t, a, o) in enumerate(b.values)]
    net = sum(r[3] for r in rows if r[4] == "false")
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "created_at", "total", "test"], rows)),
        dict(net=round(net, 2), purchases=sum(r[4] == "false" for r in rows), customers=None),
        None,
    )


@case
def n67_price_ambiguous(d):
    b = base(67)
    r = np.random.default_rng(67)
    q = r.integers(1, 6, len(b))
    rows = [(o, c, t, int(k), round(a * k, 2)) for (c, t, a, o), k in zip(b.values, q)]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "quantity", "price"], rows)),
        truth(b, net=sum(r_[4] for r_ in rows)),
        None,
    )


@case
def n68_sheets_per_year_diff(d):
    b = base(68)
    p = d / "a.xlsx"
    with pd.ExcelWriter(p) as x:
        for y, g in b.groupby(b.t.dt.year):
            pd.DataFrame({"Customer": g.cust, "Date": g.t, "Amount": g.amt, "Order": g.order}).to_excel(
                x, sheet_name=str(y), index=False
            )
    return [p], truth(b), None


@case
def n69_xlsx_text_numbers(d):
    b = base(69)
    p = d / "a.xlsx"
    pd.DataFrame(
        {"Customer": b.cust, "Date": b.t.dt.strftime("%d/%m/%Y"), "Amount": [eu(a, ".") for a in b.amt]}
    ).to_excel(p, index=False)
    return [p], truth(b), None


@case
def n70_xlsx_mixed_dates(d):
    # Excel on a US machine: dd/mm/yyyy with day<=12 became real dates swapped; others text
    b = base(70)
    col = []
    for t in b.t:
        col.append(pd.Timestamp(t.year, t.day, t.month) if t.day <= 12 else t.strftime("%d/%m/%Y"))
    p = d / "a.xlsx"
    pd.DataFrame({"Customer": b.cust, "Date": pd.Series(col, dtype=object), "Amount": b.amt}).to_excel(p, index=False)
    return [p], truth(b) | dict(days=sorted(b.t.dt.date)), None


@case
def n71_exchange(d):
    b = base(71)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((o, c, t, "SKU1", 1, a))
        if i % 8 == 0:
            rows.append((o + "X", c, t + pd.Timedelta(days=5), "SKU1", -1, -a))
            rows.append((o + "X", c, t + pd.Timedelta(days=5), "SKU2", 1, a))
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "sku", "quantity", "amount"], rows)),
        truth(b, purch=None),
        None,
    )


@case
def n72_minor_jpy(d):
    b = base(72)
    b.amt = (b.amt * 150).round(0)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "currency", "order_id"],
                [(c, t, int(a), "JPY", o) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n73_kuwait(d):
    b = base(73)
    b.amt = (b.amt / 10).round(3)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "currency", "order_id"],
                [(c, t, f"{a:.3f}", "KWD", o) for c, t, a, o in b.values],
            ),
        ),
        truth(b),
        None,
    )


@case
def n74_local_dst_gap(d):
    b = base(74)
    b.loc[5, "t"] = pd.Timestamp("2022-03-27 02:30:00")
    b.loc[6, "t"] = pd.Timestamp("2022-10-30 02:30:00")
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], [(c, t, a, o) for c, t, a, o in b.values])),
        truth(b),
        dict(timezone="Europe/Berlin", _always=True),
    )


@case
def n75_tz_abbrev(d):
    b = base(75)
    tz = ["EST", "IST", "CST", "PST"]
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, f"{t} {tz[i % 4]}", a, o) for i, (c, t, a, o) in enumerate(b.values)],
            ),
        ),
        truth(b),
        None,
    )


@case
def n76_amount_net_of_fee(d):
    b = base(76)
    rows = [(o, c, t, a, -round(a * 0.03, 2), round(a * 0.97, 2)) for c, t, a, o in b.values]
    return (
        w(
            d,
            "a.csv",
            lines(
                ["Transaction ID", "From Email Address", "Date", "Gross", "Fee", "Net"],
                [(o, c + "@x.com", t, g, f, n) for o, c, t, g, f, n in rows],
            ),
        ),
        dict(
            net=[round(b.amt.sum(), 2), round(sum(r[5] for r in rows), 2)], purchases=len(b), customers=b.cust.nunique()
        ),
        None,
    )


@case
def n77_first_10000_ints_then_decimal(d):
    b = base(77, n=6000)
    a = b.amt.values
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [
                    (c, t, (f"{int(x)}" if i < len(b) - 50 else f"{x:.2f}".replace(".", ",")), o)
                    for i, (c, t, x, o) in enumerate(b.values)
                ],
                ";",
            ),
        ),
        truth(b, net=sum(int(x) if i < len(b) - 50 else x for i, x in enumerate(a))),
        None,
    )


@case
def n78_late_thousands(d):
    # points as decimals in 99.9%, then late rows with comma thousands
    b = base(78, n=6000)
    b.amt = b.amt.round(2)
    L = len(b)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [
                    (c, t, (f"{x:.2f}" if i < L - 30 else f'"{x * 100:,.0f}"'), o)
                    for i, (c, t, x, o) in enumerate(b.values)
                ],
            ),
        ),
        truth(b, net=sum(x if i < L - 30 else round(x * 100) for i, x in enumerate(b.amt))),
        None,
    )


@case
def n79_late_dateformat(d):
    b = base(79, n=3000)
    L = len(b)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [
                    (c, (t.strftime("%Y-%m-%d") if i < L - 300 else t.strftime("%d/%m/%Y")), x, o)
                    for i, (c, t, x, o) in enumerate(b.values)
                ],
            ),
        ),
        truth(b) | dict(days=sorted(b.t.dt.date)),
        None,
    )


@case
def n80_ambig_then_late_mdy(d):
    # first 60 days <=12 ambiguous, then month-first proves mdy
    b = base(80)
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t.strftime("%m/%d/%Y"), x, o) for i, (c, t, x, o) in enumerate(b.values)],
            ),
        ),
        truth(b) | dict(days=sorted(b.t.dt.date)),
        None,
    )


@case
def n81_mixed_orders_dates(d):
    # two exports glued: half dmy half mdy
    b = base(81)
    L = len(b) // 2
    return (
        w(
            d,
            "a.csv",
            lines(
                ["customer_id", "date", "amount", "order_id"],
                [(c, t.strftime("%d/%m/%Y" if i < L else "%m/%d/%Y"), x, o) for i, (c, t, x, o) in enumerate(b.values)],
            ),
        ),
        truth(b) | dict(days=sorted(b.t.dt.date)),
        None,
    )


@case
def n82_quarters_cost_margin(d):
    b = base(82)
    rows = [(o, c, t, round(a * 0.6, 2), round(a * 0.4, 2), a) for c, t, a, o in b.values]
    return w(d, "a.csv", lines(["order_id", "customer_id", "date", "cost", "profit", "sales"], rows)), truth(b), None


@case
def n83_profit_only_named_value(d):
    b = base(83)
    rows = [(o, c, t, a, round(a * 0.4, 2)) for c, t, a, o in b.values]
    return w(d, "a.csv", lines(["order_id", "customer_id", "date", "selling_value", "value"], rows)), truth(b), None


@case
def n84_shopify_like_line_export(d):
    b = base(84)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        ln = 1 + i % 3
        p = round(a / ln, 2)
        tot = round(p * ln, 2)
        for k in range(ln):
            rows.append(
                (
                    "#" + o,
                    f"{c.lower()}@x.com",
                    "paid" if k == 0 else "",
                    (t.strftime("%Y-%m-%d %H:%M:%S +0200")),
                    tot if k == 0 else "",
                    1,
                    f"Item {k}",
                    p,
                )
            )
    net = sum(r[4] for r in rows if r[4] != "")
    return (
        w(
            d,
            "orders.csv",
            lines(
                [
                    "Name",
                    "Email",
                    "Financial Status",
                    "Created at",
                    "Total",
                    "Lineitem quantity",
                    "Lineitem name",
                    "Lineitem price",
                ],
                rows,
            ),
        ),
        truth(b, net=net),
        None,
    )


@case
def n85_wide_two_amount_currencies(d):
    b = base(85)
    rows = [(o, c, t, a, round(a * 1.1, 2)) for c, t, a, o in b.values]
    return (
        w(d, "a.csv", lines(["order_id", "customer_id", "date", "amount_eur", "amount_usd"], rows)),
        dict(
            net=[round(b.amt.sum(), 2), round(sum(r[4] for r in rows), 2)], purchases=len(b), customers=b.cust.nunique()
        ),
        None,
    )


@case
def n86_negative_sales_ledger(d):
    # accounting: revenue is negative (credit), returns positive
    b, ret = with_returns(86)
    rows = [(c, t.date(), -a, o) for c, t, a, o in b.values] + [(c, t.date(), a, "C" + o) for c, t, a, o in ret.values]
    return (
        w(d, "a.csv", lines(["customer", "posting_date", "amount", "document"], sorted(rows, key=lambda x: x[1]))),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n87_return_flag(d):
    b, ret = with_returns(87)
    rows = [(c, t, a, "N", o) for c, t, a, o in b.values] + [(c, t, a, "Y", "C" + o) for c, t, a, o in ret.values]
    return (
        w(
            d,
            "a.csv",
            lines(["customer_id", "date", "amount", "is_return", "order_id"], sorted(rows, key=lambda x: x[1])),
        ),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def n88_quoted_newlines(d):
    b = base(88)
    return (
        w(
            d,
            "a.csv",
            "customer_id,date,note,amount,order_id\n"
            + "".join(f'{c},{t},"said ""hi"", then\n{i},999.99",{a},{o}\n' for i, (c, t, a, o) in enumerate(b.values)),
        ),
        truth(b),
        None,
    )


@case
def n89_unquoted_commas_in_name(d):
    b = base(89)
    return (
        w(
            d,
            "a.csv",
            "order_id,product,customer_id,date,amount\n"
            + "".join(
                f"{o},{'Tea, green' if i % 6 == 0 else 'Tea'},{c},{t},{a}\n" for i, (c, t, a, o) in enumerate(b.values)
            ),
        ),
        truth(b),
        None,
    )


@case
def n90_decimal_comma_in_comma_csv(d):
    # unquoted decimal commas in a comma separated file: 12,50 splits
    b = base(90)
    return (
        w(d, "a.csv", "customer_id,date,amount\n" + "".join(f"{c},{t},{eu(a)}\n" for c, t, a, o in b.values)),
        truth(b),
        None,
    )


@case
def n91_trailing_delim(d):
    b = base(91)
    return (
        w(d, "a.csv", "customer_id,date,amount,order_id\n" + "".join(f"{c},{t},{a},{o},\n" for c, t, a, o in b.values)),
        truth(b),
        None,
    )


@case
def n92_preorder_future(d):
    b = base(92, start="2025-09-01", days=200)
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], zip(b.cust, b.t, b.amt, b.order))),
        truth(b),
        None,
    )


@case
def n93_percent_units(d):
    b = base(93)
    rows = [(c, t, f"{a / 1000:.5f}k", o) for c, t, a, o in b.values]
    return w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], rows)), truth(b), None


@case
def n94_excel_error_cells(d):
    b = base(94)
    rows = [(c, t, ("#REF!" if i % 40 == 0 else a), o) for i, (c, t, a, o) in enumerate(b.values)]
    return (
        w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], rows)),
        truth(b, net=sum(a for i, a in enumerate(b.amt) if i % 40), purch=None),
        None,
    )


@case
def n95_outlier_slip(d):
    b = base(95)
    rows = [(c, t, (a if i != 77 else 99999999.0), o) for i, (c, t, a, o) in enumerate(b.values)]
    return w(d, "a.csv", lines(["customer_id", "date", "amount", "order_id"], rows)), truth(b), None
