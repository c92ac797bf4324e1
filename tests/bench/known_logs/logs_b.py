"""More invented logs with known totals: kinds of rows, flags, ids, dates, amounts, orders, several files."""

from tests.bench.known_logs.logs_a import *

CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


H = ["customer_id", "order_date", "amount", "order_id"]


def simple(d, rows, h=H, sep=",", enc="utf-8", name="a.csv"):
    return w(d, name, lines(h, rows, sep), enc)


def q(s):
    return '"' + str(s) + '"'


# A types
def typed(d, seed, col, extra, share=1.0, purchase="purchase"):
    b = base(seed)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((c, t, purchase, a, o))
        for name, fac, every in extra:
            if i % every == 0:
                rows.append((c, t, name, round(a * fac, 2), o))
    return simple(d, rows, ["customer_id", "order_date", col, "amount", "order_id"]), truth(b), None


@case
def a01_type_points(d):
    return typed(d, 1, "type", [("points_earned", 10, 1), ("points_redeemed", 5, 5)])


@case
def a02_type_points_few(d):
    return typed(d, 1, "type", [("points_redeemed", 5, 9)])


@case
def a03_kind_topup(d):
    return typed(d, 1, "kind", [("topup", 2, 3)])


@case
def a04_transaction_type_points(d):
    return typed(d, 1, "transaction_type", [("points_earned", 10, 1)])


@case
def a05_type_quote_invoice(d):
    return typed(d, 1, "Type", [("Quote", 1, 1), ("Sales Order", 1, 2)], purchase="Invoice")


@case
def a06_type_invoice_payment(d):
    return typed(d, 1, "Type", [("Payment", 1, 1)], purchase="Invoice")


@case
def a07_transaction_type_invoice_payment(d):
    return typed(d, 1, "Transaction Type", [("Payment", 1, 1)], purchase="Invoice")


@case
def a08_doc_type_codes(d):
    b, ret = with_returns(8)
    rows = [(c, t, "RV", a, o) for c, t, a, o in b.values] + [(c, t, "DG", a, "9" + o) for c, t, a, o in ret.values]
    return (
        simple(d, rows, ["customer_id", "posting_date", "doc_type", "amount", "document"]),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def a09_soll_haben(d):
    b, ret = with_returns(9)
    rows = [(c, t.date(), "S", a, o) for c, t, a, o in b.values] + [
        (c, t.date(), "H", a, "9" + o) for c, t, a, o in ret.values
    ]
    return (
        simple(d, rows, ["KUNNR", "BUDAT", "SHKZG", "DMBTR", "BELNR"]),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def a10_line_type(d):
    b = base(10)
    rows = []
    for c, t, a, o in b.values:
        rows += [
            (c, t, o, "item", a),
            (c, t, o, "shipping", 4.9),
            (c, t, o, "tax", round(a * 0.2, 2)),
            (c, t, o, "discount", -round(a * 0.1, 2)),
        ]
    n = [
        b.amt.sum(),
        sum(r[4] for r in rows),
        sum(r[4] for r in rows if r[3] in ("item", "discount")),
        sum(r[4] for r in rows if r[3] != "shipping"),
        sum(r[4] for r in rows if r[3] != "tax"),
    ]
    return (
        simple(d, rows, ["customer_id", "date", "order_id", "line_type", "amount"]),
        dict(net=[round(x, 2) for x in n], purchases=None, customers=150),
        None,
    )


# B flags
def flagged(d, seed, col, yes, no, every=6, extra_h=()):
    b = base(seed)
    rows = [(c, t, a, yes if i % every == 0 else no, o) for i, (c, t, a, o) in enumerate(b.values)]
    net = sum(r[2] for r in rows if r[3] == no)
    return (
        simple(d, rows, ["customer_id", "order_date", "amount", col, "order_id"]),
        dict(net=round(net, 2), purchases=None, customers=None),
        None,
    )


@case
def b01_is_void(d):
    return flagged(d, 1, "voided", "1", "0")


@case
def b02_cancelled_bool(d):
    return flagged(d, 1, "cancelled", "True", "False")


@case
def b03_cancelled_at(d):
    return flagged(d, 1, "cancelled_at", "2023-05-06 10:00:00", "")


@case
def b04_deleted(d):
    return flagged(d, 1, "is_deleted", "Y", "N")


@case
def b05_test_flag(d):
    return flagged(d, 1, "test", "true", "false")


@case
def b06_livemode(d):
    b = base(6)
    rows = [(c, t, a, "false" if i % 6 == 0 else "true", o) for i, (c, t, a, o) in enumerate(b.values)]
    net = sum(r[2] for r in rows if r[3] == "true")
    return (
        simple(d, rows, ["customer_id", "order_date", "amount", "livemode", "order_id"]),
        dict(net=round(net, 2), purchases=None, customers=None),
        None,
    )


@case
def b07_status_codes(d):
    return flagged(d, 1, "order_status", "9", "4")


@case
def b08_status_draft(d):
    return flagged(d, 1, "status", "draft", "complete")


@case
def b09_status_declined(d):
    return flagged(d, 1, "status", "declined", "approved")


@case
def b10_status_german(d):
    return flagged(d, 1, "Status", "storniert", "versendet")


@case
def b11_status_polish(d):
    return flagged(d, 1, "status", "Zwrot", "Zrealizowane")


@case
def b12_status_spaces_case(d):
    return flagged(d, 1, "status", " CANCELED  ", "Shipped")


@case
def b13_status_fraud(d):
    return flagged(d, 1, "order_status", "fraud", "shipped")


@case
def b14_payment_failed(d):
    return flagged(d, 1, "payment_status", "FAILED", "SUCCESS")


@case
def b15_unpaid(d):
    return flagged(d, 1, "paid", "false", "true")


@case
def b16_captured(d):
    return flagged(d, 1, "captured", "FALSE", "TRUE")


@case
def b17_refunded_bool(d):
    return flagged(d, 1, "refunded", "true", "false")


@case
def b18_return_date(d):
    return flagged(d, 1, "return_date", "2023-07-06", "")


@case
def b19_status_expired(d):
    return flagged(d, 1, "status", "expired", "fulfilled")


@case
def b20_response_code(d):
    return flagged(d, 1, "response", "DECLINED", "APPROVED")


@case
def b21_authorized_only(d):
    return flagged(d, 1, "status", "authorized", "captured")


# C ids
def ids(d, seed, f, **k):
    b = base(seed)
    return simple(d, [(f(i, c), t, a, o) for i, (c, t, a, o) in enumerate(b.values)]), truth(b), None


@case
def c01_float_ids_half(d):
    return ids(d, 1, lambda i, c: c[1:] + (".0" if i % 2 else ""))


@case
def c02_trailing_space(d):
    return ids(d, 1, lambda i, c: c + (" " if i % 2 else ""))


@case
def c03_nbsp(d):
    return ids(d, 1, lambda i, c: c + ("\u00a0" if i % 2 else ""))


@case
def c04_case(d):
    return ids(d, 1, lambda i, c: c.lower() if i % 2 else c)


@case
def c05_nfd(d):
    return ids(d, 1, lambda i, c: ("Jos\u00e9" if i % 2 else "Jose\u0301") + c)


@case
def c06_zwsp(d):
    return ids(d, 1, lambda i, c: c + ("\u200b" if i % 2 else ""))


@case
def c07_fullwidth(d):
    return ids(d, 1, lambda i, c: "".join(chr(ord(x) + 0xFEE0) for x in c) if i % 2 else c)


@case
def c08_id_row_number(d):
    b = base(8)
    return (
        simple(d, [(i + 1, t, a, c) for i, (c, t, a, o) in enumerate(b.values)], ["id", "date", "amount", "name"]),
        truth(b),
        None,
    )


@case
def c09_id_and_user(d):
    b = base(9)
    return (
        simple(
            d,
            [(i + 1, t, a, "cashier%d" % (i % 3), c) for i, (c, t, a, o) in enumerate(b.values)],
            ["id", "date", "amount", "user", "loyalty_card"],
        ),
        truth(b),
        None,
    )


@case
def c10_pandas_index(d):
    b = base(10)
    return (
        simple(
            d,
            [(i, c, t, a, o) for i, (c, t, a, o) in enumerate(b.values)],
            ["", "customer_id", "order_date", "amount", "order_id"],
        ),
        truth(b),
        None,
    )


@case
def c11_merge_xy(d):
    b = base(11)
    return (
        simple(
            d,
            [(c, "Z" + c, t, a, round(a * 0.5, 2), o) for i, (c, t, a, o) in enumerate(b.values)],
            ["customer_id_x", "customer_id_y", "order_date", "amount_x", "amount_y", "order_id"],
        ),
        truth(b),
        None,
    )


@case
def c12_walkin(d):
    b = base(12)
    return (
        simple(d, [("WALK-IN" if i % 2 else c, t, a, o) for i, (c, t, a, o) in enumerate(b.values)]),
        dict(net=None, purchases=None, customers=None),
        None,
    )


@case
def c13_guest_zero(d):
    b = base(13)
    return (
        simple(d, [("0" if i % 2 else c[1:], t, a, o) for i, (c, t, a, o) in enumerate(b.values)]),
        dict(net=None, purchases=None, customers=None),
        None,
    )


@case
def c14_two_amount_cols_same_name(d):
    b = base(14)
    return (
        simple(
            d,
            [(c, t, a, round(a * 1.2, 2), o) for i, (c, t, a, o) in enumerate(b.values)],
            ["customer_id", "order_date", "amount", "amount", "order_id"],
        ),
        truth(b),
        None,
    )


@case
def c15_json_bigint(d):
    b = base(15)
    return (
        w(
            d,
            "a.jsonl",
            "".join(
                '{"customer_id": %d, "order_date": "%s", "amount": %s, "order_id": "%s"}\n'
                % (2**60 + int(c[1:]), t, a, o)
                for c, t, a, o in b.values
            ),
        ),
        truth(b),
        None,
    )


@case
def c16_json_float_id(d):
    b = base(16)
    return (
        w(
            d,
            "a.jsonl",
            "".join(
                '{"customer_id": %s, "order_date": "%s", "amount": %s, "order_id": "%s"}\n'
                % ((c[1:] + ".0") if i % 2 else c[1:], t, a, o)
                for i, (c, t, a, o) in enumerate(b.values)
            ),
        ),
        truth(b),
        None,
    )


@case
def c17_parquet_float_id(d):
    b = base(17)
    x = b.assign(cust=b.cust.str[1:].astype(float))
    x.loc[3, "cust"] = np.nan
    x.columns = ["customer_id", "order_date", "amount", "order_id"]
    x.to_parquet(d / "a.parquet")
    return [d / "a.parquet"], truth(b, net=b.amt.sum() - b.amt[3], purch=len(b) - 1), None


@case
def c18_parquet_float_then_csv_int(d):
    b = base(18)
    h = len(b) // 2
    x = b[:h].assign(cust=b.cust[:h].str[1:].astype(float))
    x.columns = ["customer_id", "order_date", "amount", "order_id"]
    x.to_parquet(d / "a.parquet")
    return [d / "a.parquet"] + simple(d, [(c[1:], t, a, o) for c, t, a, o in b[h:].values]), truth(b), None


@case
def c19_xlsx_int_then_csv_zeropad(d):
    b = base(19)
    h = len(b) // 2
    x = b[:h].assign(cust=b.cust[:h].str[1:].astype(int))
    x.columns = ["customer_id", "order_date", "amount", "order_id"]
    x.to_excel(d / "a.xlsx", index=False)
    return [d / "a.xlsx"] + simple(d, [(c[1:].zfill(8), t, a, o) for c, t, a, o in b[h:].values]), truth(b), None


# D dates
def dated(d, seed, f, ans=None, h=H, days=True, **k):
    b = base(seed, **k)
    tr = truth(b)
    if days:
        tr["days"] = sorted(b.t.dt.date)
    return simple(d, [(c, f(i, t), a, o) for i, (c, t, a, o) in enumerate(b.values)], h), tr, ans


@case
def d01_yyyymmdd(d):
    return dated(d, 1, lambda i, t: t.strftime("%Y%m%d"))


@case
def d02_yymmdd(d):
    return dated(d, 1, lambda i, t: t.strftime("%y%m%d"))


@case
def d03_oracle(d):
    return dated(d, 1, lambda i, t: t.strftime("%d-%b-%y").upper())


@case
def d04_julian(d):
    return dated(d, 1, lambda i, t: t.strftime("%Y%j"))


@case
def d05_isoweek(d):
    return dated(d, 1, lambda i, t: t.strftime("%G-W%V-%u"))


@case
def d06_epoch_us(d):
    return dated(d, 1, lambda i, t: int(t.timestamp() * 1e6))


@case
def d07_epoch_ns(d):
    return dated(d, 1, lambda i, t: int(t.timestamp()) * 10**9)


@case
def d08_ticks(d):
    return dated(d, 1, lambda i, t: int((t - pd.Timestamp("1900-01-01")).total_seconds() * 1e7) + 599266080000000000)


@case
def d09_text_month(d):
    return dated(d, 1, lambda i, t: '"' + t.strftime("%B %-d, %Y") + '"')


@case
def d10_weekday(d):
    return dated(d, 1, lambda i, t: t.strftime("%a %b %d %H:%M:%S %Y"))


@case
def d11_rfc(d):
    return dated(d, 1, lambda i, t: '"' + t.strftime("%a, %d %b %Y %H:%M:%S GMT") + '"')


@case
def d12_mixed_z_naive(d):
    return dated(d, 1, lambda i, t: t.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if i % 2 else ""))


@case
def d13_no_year(d):
    return dated(d, 1, lambda i, t: t.strftime("%d.%m."))


@case
def d14_24h(d):
    return dated(d, 1, lambda i, t: t.strftime("%Y-%m-%d") + " 24:00:00", days=False)


@case
def d15_comma_fraction(d):
    return dated(d, 1, lambda i, t: '"' + t.strftime("%Y-%m-%d %H:%M:%S,%f") + '"')


@case
def d16_excel_serial_int(d):
    return dated(d, 1, lambda i, t: (t - pd.Timestamp("1899-12-30")).days)


@case
def d17_excel_serial_mixed(d):
    return dated(d, 1, lambda i, t: (t - pd.Timestamp("1899-12-30")).days if i % 4 == 0 else t.strftime("%Y-%m-%d"))


@case
def d18_dash_dmy_2digit(d):
    return dated(d, 1, lambda i, t: t.strftime("%d-%m-%y"))


@case
def d19_ydm(d):
    return dated(d, 1, lambda i, t: t.strftime("%Y-%d-%m"))


@case
def d20_french_months(d):
    M = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split()
    return dated(d, 1, lambda i, t: f"{t.day} {M[t.month - 1]} {t.year}")


@case
def d21_xlsx_1904(d):
    import openpyxl

    b = base(21)
    p = d / "a.xlsx"
    wb = openpyxl.Workbook()
    wb.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    ws = wb.active
    ws.append(H)
    for c, t, a, o in b.values:
        ws.append([c, t.to_pydatetime(), a, o])
    wb.save(p)
    return [p], truth(b) | dict(days=sorted(b.t.dt.date)), None


@case
def d22_last_modified_vs_order(d):
    b = base(22)
    r = np.random.default_rng(1)
    return (
        simple(
            d,
            [(c, pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(c[1:]) % 300), t, a, o) for c, t, a, o in b.values],
            ["customer_id", "created_at", "date", "amount", "order_id"],
        ),
        truth(b) | dict(days=sorted(b.t.dt.date)),
        None,
    )


@case
def d23_signup_date_only_other(d):
    b = base(23)
    return (
        simple(
            d,
            [(c, pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(c[1:]) % 300), t, a, o) for c, t, a, o in b.values],
            ["customer_id", "date", "transaction_dt", "amount", "order_id"],
        ),
        truth(b) | dict(days=sorted(b.t.dt.date)),
        None,
    )


@case
def d24_ampm_no_space(d):
    return dated(d, 1, lambda i, t: t.strftime("%m/%d/%Y %I:%M%p"))


@case
def d25_persian(d):
    return dated(d, 1, lambda i, t: "".join(chr(0x6F0 + int(x)) if x.isdigit() else x for x in t.strftime("%Y/%m/%d")))


# E amounts
def amounts(d, seed, f, sep=",", tr=None, ans=None, scale=1, rnd=2, h=H):
    b = base(seed)
    b.amt = (b.amt * scale).round(rnd)
    return (
        simple(d, [(c, t, f(i, a), o) for i, (c, t, a, o) in enumerate(b.values)], h, sep),
        (tr(b) if tr else truth(b)),
        ans,
    )


def neg(b, every=9):
    return truth(b, net=sum(-a if i % every == 0 else a for i, a in enumerate(b.amt)), purch=None)


@case
def e01_unicode_minus(d):
    return amounts(d, 1, lambda i, a: ("\u2212" if i % 9 == 0 else "") + f"{a}", tr=neg)


@case
def e02_endash_minus(d):
    return amounts(d, 1, lambda i, a: ("\u2013" if i % 9 == 0 else "") + f"{a}", tr=neg)


@case
def e03_dollar_minus(d):
    return amounts(d, 1, lambda i, a: ("$-" if i % 9 == 0 else "$") + f"{a}", tr=neg)


@case
def e04_minus_dollar(d):
    return amounts(d, 1, lambda i, a: ("-$" if i % 9 == 0 else "$") + f"{a}", tr=neg)


@case
def e05_cr_dr(d):
    return amounts(d, 1, lambda i, a: f"{a}" + (" CR" if i % 9 == 0 else " DR"), tr=neg)


@case
def e06_cr_only(d):
    return amounts(d, 1, lambda i, a: f"{a}" + (" CR" if i % 9 == 0 else ""), tr=neg)


@case
def e07_plus(d):
    return amounts(d, 1, lambda i, a: ("-" if i % 9 == 0 else "+") + f"{a}", tr=neg)


@case
def e08_sci(d):
    return amounts(d, 1, lambda i, a: f"{a:.6e}")


@case
def e09_arabic_digits(d):
    return amounts(d, 1, lambda i, a: "".join(chr(0x660 + int(x)) if x.isdigit() else "٫" for x in f"{a:.2f}"))


@case
def e10_fullwidth(d):
    return amounts(d, 1, lambda i, a: "".join(chr(ord(x) + 0xFEE0) for x in f"{a:.2f}"))


@case
def e11_space_thousand(d):
    return amounts(d, 1, lambda i, a: f"{a:,.2f}".replace(",", " "), scale=40)


@case
def e12_comma_int_semicolon(d):
    return amounts(d, 1, lambda i, a: f"{int(a):,}", sep=";", scale=300, rnd=0)


@case
def e13_three_decimals_comma(d):
    return amounts(d, 1, lambda i, a: f"{a:.3f}".replace(".", ","), sep=";", rnd=3)


@case
def e14_inf_nan(d):
    return amounts(
        d,
        1,
        lambda i, a: ["inf", "nan", "1e999"][i % 3] if i % 20 == 0 else a,
        tr=lambda b: (
            truth(b, net=sum(a for i, a in enumerate(b.amt) if i % 20), purch=None, cust=None) | dict(customers=None)
        ),
    )


@case
def e15_1e308(d):
    return amounts(
        d,
        1,
        lambda i, a: "1e308" if i % 20 == 0 else a,
        tr=lambda b: truth(b, net=sum(a for i, a in enumerate(b.amt) if i % 20), purch=None) | dict(customers=None),
    )


@case
def e16_decimals_point_comma_thousand_in_eu(d):
    return amounts(d, 1, lambda i, a: eu(a, ".") if a >= 1000 else f"{a:.2f}", sep=";", scale=30)


@case
def e17_currency_each_suffix(d):
    return amounts(d, 1, lambda i, a: f"{a:.2f} kr")


@case
def e18_rs_dot(d):
    return amounts(d, 1, lambda i, a: f"Rs.{a:.2f}")


@case
def e19_rsdotspace_thousand(d):
    return amounts(d, 1, lambda i, a: q(f"Rs. {a:,.0f}"), scale=50, rnd=0)


@case
def e20_brl(d):
    return amounts(d, 1, lambda i, a: "R$ " + eu(a, "."), sep=";", scale=30)


@case
def e21_lakh_words(d):
    return amounts(d, 1, lambda i, a: f"{a / 1e5:.7f} lakh", scale=5000, rnd=2)


@case
def e22_K_M(d):
    return amounts(d, 1, lambda i, a: f"{a / 1e3:.3f}K" if a < 1e6 else f"{a / 1e6:.6f}M", scale=5000, rnd=0)


@case
def e23_unit_per(d):
    return amounts(d, 1, lambda i, a: f"{a} per item")


@case
def e24_minor_late(d):  # second half of the log switched to cents (system change)
    b = base(24)
    L = len(b) // 2
    return (
        simple(
            d, [(c, t, (f"{a:.2f}" if i < L else int(round(a * 100))), o) for i, (c, t, a, o) in enumerate(b.values)]
        ),
        truth(b),
        None,
    )


@case
def e25_outlier(d):
    return amounts(d, 1, lambda i, a: 99999999.0 if i == 77 else a)


@case
def e26_bank_balance(d):
    b, ret = with_returns(26)
    rows = [(c, t, a, o) for c, t, a, o in b.values] + [(c, t, -a, "R" + o) for c, t, a, o in ret.values]
    rows.sort(key=lambda x: x[1])
    bal = 0
    out = []
    for c, t, a, o in rows:
        bal += a
        out.append((t, c, round(bal, 2), a, o))
    return (
        simple(d, out, ["date", "customer", "balance", "amount", "reference"]),
        truth(b, net=b.amt.sum() - ret.amt.sum()),
        None,
    )


@case
def e27_due_paid(d):
    b = base(27)
    rows = [
        (c, t, a, (a if i % 5 else round(a / 2, 2)), (0 if i % 5 else round(a - round(a / 2, 2), 2)), o)
        for i, (c, t, a, o) in enumerate(b.values)
    ]
    return (
        simple(d, rows, ["customer_id", "invoice_date", "invoice_total", "amount_paid", "amount_due", "invoice_no"]),
        dict(
            net=[round(b.amt.sum(), 2), round(sum(r[3] for r in rows), 2)], purchases=len(b), customers=b.cust.nunique()
        ),
        None,
    )


@case
def e28_exchange_rate(d):
    b = base(28)
    cur = [("EUR", 1.0), ("USD", 0.9), ("SEK", 0.09)]
    rows = [
        (c, t, round(a / cur[i % 3][1], 2), cur[i % 3][0], cur[i % 3][1], o) for i, (c, t, a, o) in enumerate(b.values)
    ]
    return (
        simple(d, rows, ["customer_id", "order_date", "amount", "currency", "exchange_rate", "order_id"]),
        truth(b, net=sum(round(r[2] * r[4], 6) for r in rows)),
        None,
    )


@case
def e29_gross_net_price(d):
    b = base(29)
    rows = [(c, t, round(a * 1.2, 2), a, 3, o) for i, (c, t, a, o) in enumerate(b.values)]
    return (
        simple(d, rows, ["customer_id", "order_date", "gross_price", "net_price", "quantity", "order_id"]),
        dict(net=[round(3 * b.amt.sum(), 2), round(sum(r[2] * 3 for r in rows), 2)], purchases=len(b), customers=150),
        None,
    )


# F orders
@case
def f01_few_multi(d):
    b = base(1)
    r = np.random.default_rng(31)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        for k in range(3 if i % 40 == 0 else 1):
            rows.append((o, c, t, f"P{r.integers(50)}", 1, a))
    return (
        simple(d, rows, ["order_id", "customer_id", "date", "sku", "quantity", "order_total"]),
        truth(b, purch=None),
        None,
    )


@case
def f02_total_named_amount_lines(d):
    b = base(2)
    r = np.random.default_rng(31)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        for k in range(1 + i % 3):
            rows.append((o, c, t, f"P{r.integers(50)}", a))
    return simple(d, rows, ["order_id", "customer_id", "date", "sku", "amount"]), truth(b, purch=None), None


@case
def f03_parent_child(d):
    b = base(3)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((o, "", c, t, a))
        if i % 2:
            x = round(a / 2, 2)
            rows += [(o + "-1", o, c, t, x), (o + "-2", o, c, t, round(a - x, 2))]
    return (
        simple(d, rows, ["order_id", "parent_order_id", "customer_id", "date", "total_amount"]),
        truth(b, purch=None),
        None,
    )


@case
def f04_split_payments(d):
    b = base(4)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        if i % 3 == 0:
            x = round(a * 0.3, 2)
            rows += [(o, c, t, "gift_card", x, a), (o, c, t, "card", round(a - x, 2), a)]
        else:
            rows.append((o, c, t, "card", a, a))
    return (
        simple(d, rows, ["order_id", "customer_id", "date", "payment_method", "payment_amount", "order_total"]),
        truth(b, purch=None),
        None,
    )


@case
def f05_discount_rows(d):
    b = base(5)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((o, c, t, f"SKU{i % 20}", 1, a))
        if i % 4 == 0:
            rows.append((o, c, t, "DISCOUNT", 1, -round(a * 0.2, 2)))
    return (
        simple(d, rows, ["order_id", "customer_id", "date", "sku", "quantity", "line_total"]),
        truth(b, net=sum(r[5] for r in rows), purch=None),
        None,
    )


@case
def f06_page_headers(d):
    b = base(6)
    h = ",".join(H) + "\n"
    t = h
    for i, (c, tt, a, o) in enumerate(b.values):
        t += f"{c},{tt},{a},{o}\n"
        if i % 50 == 49:
            t += f"Page {i // 50 + 1},,,\n" + h
    t += "Report generated 2024-01-01 by admin,,,\n"
    return w(d, "a.csv", t), truth(b), None


@case
def f07_comment_lines(d):
    b = base(7)
    t = (
        "# exported by X\n# rows: 10\n"
        + ",".join(H)
        + "\n"
        + "".join(f"{c},{tt},{a},{o}\n" for c, tt, a, o in b.values)
    )
    return w(d, "a.csv", t), truth(b), None


@case
def f08_merged_customer(d):
    b = base(8).sort_values(["cust", "t"])
    prev = None
    rows = []
    for c, t, a, o in b.values:
        rows.append((c if c != prev else "", t, a, o))
        prev = c
    return simple(d, rows), truth(b), None


@case
def f09_overlap_formats(d):
    b = base(9)
    h = len(b) // 2
    p1 = simple(d, [(c, t, a, o) for c, t, a, o in b[: h + 100].values])
    p2 = simple(d, [(c, t.strftime("%d/%m/%Y %H:%M:%S"), f"{a:.3f}", o) for c, t, a, o in b[h:].values], name="b.csv")
    return p1 + p2, truth(b), None


@case
def f10_overlap_dateonly(d):
    b = base(10)
    h = len(b) // 2
    p1 = simple(d, [(c, t, a, o) for c, t, a, o in b[: h + 100].values])
    p2 = simple(d, [(c, t.date(), a, o) for c, t, a, o in b[h:].values], name="b.csv")
    return p1 + p2, truth(b), None


@case
def f11_overlap_no_order(d):
    b = base(11)
    h = len(b) // 2
    p1 = simple(d, [(c, t.date(), a) for c, t, a, o in b[: h + 100].values], H[:3])
    p2 = simple(d, [(c, t.date(), a) for c, t, a, o in b[h:].values], H[:3], name="b.csv")
    return p1 + p2, truth(b), None


@case
def f12_overlap_changed_amount(d):
    b = base(12)
    h = len(b) // 2
    b2 = b[h:].copy()
    b2.iloc[:100, 2] = (b2.iloc[:100, 2] * 0.5).round(2)
    p1 = simple(d, [(c, t, a, o) for c, t, a, o in b[: h + 100].values])
    p2 = simple(d, [(c, t, a, o) for c, t, a, o in b2.values], name="b.csv")
    return p1 + p2, truth(b, net=b.amt[:h].sum() + b2.amt.sum()), None


@case
def f13_orders_and_returns_files(d):
    b, ret = with_returns(13)
    p1 = simple(d, [(c, t, a, o) for c, t, a, o in b.values], name="orders.csv")
    p2 = simple(
        d,
        [(c, t, a, o) for c, t, a, o in ret.values],
        ["customer_id", "return_date", "refund_amount", "order_id"],
        name="returns.csv",
    )
    return p1 + p2, truth(b, net=b.amt.sum() - ret.amt.sum()), None


@case
def f14_second_file_other_currency(d):
    b = base(14)
    h = len(b) // 2
    return (
        simple(d, [(c, t, a, "EUR", o) for c, t, a, o in b[:h].values], H[:3] + ["currency", "order_id"])
        + simple(
            d, [(c, t, a, "USD", o) for c, t, a, o in b[h:].values], H[:3] + ["currency", "order_id"], name="b.csv"
        ),
        dict(net=None, purchases=len(b), customers=b.cust.nunique()),
        None,
    )


@case
def f15_second_file_cents(d):
    b = base(15)
    h = len(b) // 2
    return (
        simple(d, [(c, t, a, o) for c, t, a, o in b[:h].values])
        + simple(d, [(c, t, int(round(a * 100)), o) for c, t, a, o in b[h:].values], name="b.csv"),
        truth(b),
        None,
    )


@case
def f16_second_file_mdy(d):
    b = base(16)
    h = len(b) // 2
    f = lambda t, s: t.strftime(s)
    x = b[h:].copy()
    x.t = [t.replace(day=min(t.day, 12)) for t in x.t]
    tr = truth(pd.concat([b[:h], x])) | dict(days=sorted(list(b.t[:h].dt.date) + list(x.t.dt.date)))
    return (
        simple(d, [(c, f(t, "%d/%m/%Y"), a, o) for c, t, a, o in b[:h].values])
        + simple(d, [(c, f(t, "%m/%d/%Y"), a, o) for c, t, a, o in x.values], name="b.csv"),
        tr,
        None,
    )


@case
def f17_late_change_250k(d):
    r = np.random.default_rng(17)
    n = 250000
    t = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(r.integers(0, 900 * 86400, n)), unit="s")
    a = np.exp(r.normal(3, 0.7, n)).round(2)
    q_ = r.integers(1, 4, n)
    amt = [f"{x:.2f}" for x in a]
    for i in range(n - 3000, n):
        amt[i] = f"{a[i]:.2f}".replace(".", ",")
    return (
        simple(d, zip([f"C{x}" for x in r.integers(0, 20000, n)], t, amt, [f"O{i}" for i in range(n)]), sep=";"),
        dict(net=round(float(a.sum()), 2), purchases=n, customers=None),
        None,
    )


@case
def f18_late_point3_250k(d):
    # decimals to 2 places in the first 240k, then Italian-style thousands '1.234' for the last 10k
    r = np.random.default_rng(18)
    n = 250000
    t = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(r.integers(0, 900 * 86400, n)), unit="s")
    a = np.exp(r.normal(3, 0.7, n)).round(2)
    amt = [f"{x:.2f}" for x in a]
    tot = float(a[: n - 10000].sum())
    for i in range(n - 10000, n):
        v = int(a[i] * 100) + 1000
        amt[i] = f"{v:,}".replace(",", ".")
        tot += v
    return (
        simple(d, zip([f"C{x}" for x in r.integers(0, 20000, n)], t, amt, [f"O{i}" for i in range(n)]), sep=";"),
        dict(net=round(tot, 2), purchases=n, customers=None),
        None,
    )


@case
def f19_order_total_after_200k(d):
    # single-line orders for 220k rows; then multi-line orders carrying the order total on each line
    r = np.random.default_rng(19)
    rows = []
    tot = 0
    n = 0
    for i in range(215000):
        a = round(float(np.exp(r.normal(3, 0.7))), 2)
        rows.append(
            (
                f"O{i}",
                f"C{r.integers(20000)}",
                f"2020-{1 + i % 9:02d}-{1 + i % 28:02d} 10:{i % 60:02d}:00",
                f"P{r.integers(99)}",
                a,
            )
        )
        tot += a
    for i in range(10000):
        a = round(float(np.exp(r.normal(3, 0.7))), 2)
        c = f"C{r.integers(20000)}"
        tot += a
        for k in range(3):
            rows.append((f"X{i}", c, f"2020-11-{1 + i % 28:02d} 11:{i % 60:02d}:00", f"P{r.integers(99)}", a))
    return (
        simple(d, rows, ["order_id", "customer_id", "order_date", "sku", "order_total"]),
        dict(net=round(tot, 2), purchases=None, customers=None),
        None,
    )


@case
def f20_xlsx_formula_nocache(d):
    import openpyxl

    b = base(20)
    p = d / "a.xlsx"
    wb = openpyxl.Workbook()
    ws = wb.active
    ws.append(["customer_id", "order_date", "qty", "price", "amount", "order_id"])
    for i, (c, t, a, o) in enumerate(b.values, 2):
        ws.append([c, t.to_pydatetime(), 2, a, f"=C{i}*D{i}", o])
    wb.save(p)
    return [p], truth(b, net=2 * b.amt.sum()), None


@case
def f21_xlsx_hidden_rows_filter(d):
    import openpyxl

    b = base(21)
    p = d / "a.xlsx"
    wb = openpyxl.Workbook()
    ws = wb.active
    ws.append(H)
    for i, (c, t, a, o) in enumerate(b.values, 2):
        ws.append([c, t.to_pydatetime(), a, o])
        if i % 5 == 0:
            ws.row_dimensions[i].hidden = True
    s = wb.create_sheet("old")
    s.sheet_state = "hidden"
    s.append(H)
    for c, t, a, o in b.values:
        s.append([c, (t - pd.Timedelta(days=700)).to_pydatetime(), a, "X" + o])
    wb.save(p)
    return [p], truth(b), None


@case
def f22_qty_thousands(d):
    b = base(22)
    return (
        simple(
            d,
            [(c, t, q(f"{1000 + i % 9 * 500:,}"), a, o) for i, (c, t, a, o) in enumerate(b.values)],
            ["customer_id", "order_date", "quantity", "unit_price", "order_id"],
        ),
        truth(b, net=sum((1000 + i % 9 * 500) * a for i, a in enumerate(b.amt))),
        None,
    )


@case
def f23_price_list_tiered(d):
    b = base(23)
    r = np.random.default_rng(23)
    P = {k: round(float(r.uniform(5, 50)), 2) for k in range(20)}
    rows = []
    net = 0
    for i, (c, t, a, o) in enumerate(b.values):
        k = int(r.integers(20))
        n = int(r.integers(1, 6))
        p = round(P[k] * (1 - 0.05 * n), 2)
        rows.append((c, t, f"P{k}", n, p, o))
        net += n * p
    return (
        simple(d, rows, ["customer_id", "order_date", "sku", "quantity", "price", "order_id"]),
        truth(b, net=net),
        None,
    )


@case
def f24_kits(d):
    b = base(24)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append((o, c, t, "KIT" if i % 3 == 0 else "SKU", a, "parent" if i % 3 == 0 else "single"))
        if i % 3 == 0:
            x = round(a / 2, 2)
            rows += [(o, c, t, "COMP1", x, "component"), (o, c, t, "COMP2", round(a - x, 2), "component")]
    return simple(d, rows, ["order_id", "customer_id", "date", "sku", "amount", "row_type"]), truth(b, purch=None), None


@case
def f25_contract_value_monthly(d):
    r = np.random.default_rng(25)
    rows = []
    for c in range(100):
        v = [1200, 2400, 6000][c % 3]
        for m in range(12):
            rows.append((f"AC{c}", f"2023-{m + 1:02d}-01", f"K{c}", v))
    return (
        simple(d, rows, ["account_id", "billing_date", "contract_id", "contract_value"]),
        dict(net=float(sum([1200, 2400, 6000][c % 3] for c in range(100))), purchases=None, customers=100),
        None,
    )
