"""Exports of shops, marketplaces, payment providers, ledgers and trackers, after their documented formats."""

import csv as _csv
import io as _io

from tests.bench.known_logs.logs_a import *

CASES = {}
# what a careful analyst answers where no option names the true figure, question by question
HONEST = {
    "p41_odoo_orders_lines": [
        [
            "--state=Verkaufsauftrag=sold",
            "--state=Angebot=cancelled",
            "--state=Abgebrochen=cancelled",
            "--state=Angebot gesendet=cancelled",
        ]
    ],
    "p43_netsuite_search": [["--map", "customer_id=Name"], ["--event", "Invoice=purchase"]],
    "p45_hubspot_deals": [
        [
            "--map",
            "customer_id=Associated Company IDs",
            "--map",
            "amount=Amount in company currency",
            "--map",
            "event_time=Close Date",
        ]
    ],
    "p47_recharge_charges": [["--map", "event_time=processed_at"], ["--state=QUEUED=cancelled"]],
    "p49_recurly_transactions": [["--map", "customer_id=account_code"]],
    "p55_mixpanel_export": [["--event=Cart Updated=Cart Updated"]],
    "p59_wix_german": [["--map=amount=Gesamtbetrag"]],
    "p71_hungarian_lines": [
        ["--map", "customer_id=E-mail cím", "--map", "event_time=Dátum"],
        ["--map", "amount=Összeg"],
    ],
    "p75_local_and_utc_times": [["--map", "event_time=created_at_utc"]],
    "p79_price_with_qty_packs": [["--map", "unit_price=Preis"]],
    "p31_otto_receipts": [["--map", "event_type=Belegart"], ["--event=PARTIAL_REFUND=return"]],
    "p07_woo_order_stats_table": [["--map=event_time=date_created"]],
    "p29_mercado_livre_pt": [["--state=Devolução parcial=sold"]],
    "p33_jd_settlement": [["--state=订单=sold", "--state=售后服务单=sold"]],
    "p35_wechat_pay_bill": [["--map=amount=应结订单金额"]],
    "p37_mirakl_orders": [["--state=Refused=cancelled"]],
    "p39_wildberries_report": [["--map=amount=Вайлдберриз реализовал Товар (Пр)"]],
    "p61_german_document_chain": [["--state=Auftragsbestätigung=cancelled", "--state=Lieferschein=cancelled"]],
    "p65_split_shipments": [["--amount-scope", "order"]],
}


def case(f):
    CASES[f.__name__] = f
    return f


def em(c):
    return c.lower() + "@mail.de"


def tab(d, h, rows, name="a.csv", sep=",", enc="utf-8", pre="", post="", quoting=_csv.QUOTE_MINIMAL):
    s = _io.StringIO()
    x = _csv.writer(s, delimiter=sep, lineterminator="\n", quoting=quoting)
    if h:
        x.writerow(h)
    x.writerows(rows)
    p = d / name
    p.write_bytes((pre + s.getvalue() + post).encode(enc))
    return [p]


def jl(d, rows, name="a.jsonl"):
    p = d / name
    p.write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in rows) + "\n")
    return [p]


def parts(r, a, kmax=3):
    k = int(r.integers(1, kmax + 1))
    u = np.sort(r.integers(1, max(int(a * 100), k + 1), k - 1)) if k > 1 else []
    cut = [0, *[int(x) for x in u], int(round(a * 100))]
    return [(cut[i + 1] - cut[i]) / 100 for i in range(k)]


def T(net, customers=None, **k):
    net = [round(float(x), 2) for x in (net if isinstance(net, list) else [net])]
    return dict(net=net, purchases=None, customers=customers, **k)


def rng(s):
    return np.random.default_rng(s)


ADDR = 'Hauptstr. 5\nHinterhaus, 3. OG\n"Klingel: Maier"'
MONTH_DE = "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez".split()
MES_PT = "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro".split()
MONTH_DE = "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez".split()
MES_PT = "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro".split()


@case
def p01_shopify_orders_full(d):
    """Order fields on the first line only, tips in Total, tax included, addresses of several lines, POS sales without email, voided and refunded orders."""
    b = base(301)
    r = rng(301)
    rows = []
    net = []
    tot = []
    cust = set()
    h = "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,Billing Zip,Notes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Phone,Receipt Number,Duties,Billing Province Name".split(
        ","
    )
    for i, (c, t, a, o) in enumerate(b.values):
        disc = round(a * 0.1, 2) if i % 7 == 0 else 0
        sub = round(a - disc, 2)
        tip = 2.0 if i % 9 == 0 else 0
        ship = 4.9 if i % 3 else 0
        total = round(sub + ship + tip, 2)
        st = "paid"
        ref = 0.0
        canc = ""
        if i % 25 == 3:
            st = "voided"
            canc = t + pd.Timedelta(hours=5)
        elif i % 25 == 4:
            st = "refunded"
            ref = total
        elif i % 25 == 5:
            st = "partially_refunded"
            ref = round(sub / 2, 2)
        elif i % 25 == 6:
            st = "pending"
        for k, p in enumerate(parts(r, a)):
            x = dict.fromkeys(h, "")
            x.update(
                {
                    "Name": "#" + o[1:],
                    "Email": em(c),
                    "Created at": t.strftime("%Y-%m-%d %H:%M:%S +0200"),
                    "Lineitem quantity": 1,
                    "Lineitem name": 'Shirt, "blue"',
                    "Lineitem price": f"{p:.2f}",
                    "Lineitem sku": f"S{k}",
                    "Lineitem discount": "0.00",
                    "Vendor": "V",
                }
            )
            if k == 0:
                x.update(
                    {
                        "Financial Status": st,
                        "Paid at": x["Created at"] if st != "pending" else "",
                        "Currency": "EUR",
                        "Subtotal": sub,
                        "Shipping": ship,
                        "Taxes": round(total * 0.16, 2),
                        "Total": total,
                        "Discount Amount": disc,
                        "Billing Street": ADDR,
                        "Cancelled at": canc and canc.strftime("%Y-%m-%d %H:%M:%S +0200"),
                        "Refunded Amount": ref,
                        "Outstanding Balance": total if st == "pending" else 0,
                        "Id": 5000000000000 + i,
                        "Payment Method": "Shopify Payments",
                    }
                )
            rows.append(list(x.values()))
        if st in ("paid", "refunded", "partially_refunded"):
            net.append(sub - min(ref, sub))
            tot.append(total - ref)
            cust.add(c)
    # Subtotal less refunds (never below 0 or with shipping refunded), or Total less refunds
    n2 = sum(tot)
    alt = [sum(net), n2]
    full = sum(x for x in net)
    keep = []
    return tab(d, h, rows, "orders_export_1.csv"), T([*alt, n2 - sum(0 for _ in keep)], None, arguable=True), None


@case
def p03_shopify_transactions_email(d):
    """Transactions: sale, authorization + capture (one payment, two rows), refund (positive), void; failures."""
    b = base(303)
    rows = []
    net = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda k, st, am, m=0: rows.append(
            [
                8000000 + i,
                "#" + o[1:],
                k,
                "shopify_payments",
                (t + pd.Timedelta(minutes=m)).strftime("%Y-%m-%d %H:%M:%S +0100"),
                st,
                am,
                "EUR",
                "visa",
                em(c),
            ]
        )
        if i % 5 == 0:
            s("sale", "failure", a)
        if i % 3 == 0:
            s("authorization", "success", a, 1)
            s("capture", "success", a, 2000)
        else:
            s("sale", "success", a, 1)
        net += a
        if i % 11 == 0:
            v = round(a / 2, 2)
            s("refund", "success", v, 9000)
            net -= v
    return (
        tab(
            d,
            [
                "Order",
                "Name",
                "Kind",
                "Gateway",
                "Created At",
                "Status",
                "Amount",
                "Currency",
                "Card Type",
                "Customer Email",
            ],
            rows,
        ),
        T(net, 150),
        None,
    )


@case
def p05_shopify_rest_json(d):
    """orders.json: total_price, current_total_price (after refunds), subtotal, customer.total_spent, nested line_items and refunds."""
    b = base(305)
    r = rng(305)
    out = []
    net = [0, 0]
    for i, (c, t, a, o) in enumerate(b.values):
        ref = round(a / 4, 2) if i % 9 == 0 else 0.0
        tot = round(a + 5, 2)
        out.append(
            {
                "id": 450789469 + i,
                "created_at": t.strftime("%Y-%m-%dT%H:%M:%S+01:00"),
                "processed_at": t.strftime("%Y-%m-%dT%H:%M:%S+01:00"),
                "cancelled_at": None,
                "test": False,
                "currency": "EUR",
                "presentment_currency": "EUR",
                "financial_status": "partially_refunded" if ref else "paid",
                "subtotal_price": f"{a:.2f}",
                "total_tax": f"{a * 0.19 / 1.19:.2f}",
                "total_price": f"{tot:.2f}",
                "current_total_price": f"{tot - ref:.2f}",
                "current_subtotal_price": f"{a - ref:.2f}",
                "total_discounts": "0.00",
                "total_tip_received": "0.00",
                "email": em(c),
                "customer": {"id": int(c[1:]), "email": em(c), "orders_count": 3, "total_spent": "333.00"},
                "line_items": [
                    {"id": i * 10 + k, "sku": f"S{k}", "quantity": 1, "price": f"{p:.2f}", "total_discount": "0.00"}
                    for k, p in enumerate(parts(r, a))
                ],
                "refunds": [{"id": 1, "transactions": [{"kind": "refund", "amount": f"{ref:.2f}"}]}] if ref else [],
            }
        )
        net[0] += tot - ref
        net[1] += a - ref
    p = d / "orders.json"
    p.write_text(json.dumps({"orders": out}))
    return [p], T(net, 150), None


@case
def p07_woo_order_stats_table(d):
    """wp_wc_order_stats: refunds are child rows with negative totals; a fully refunded parent has status wc-refunded."""
    b = base(307)
    rows = []
    n = [0, 0]
    k = 50000
    for i, (c, t, a, o) in enumerate(b.values):
        st = "wc-completed"
        if i % 20 == 1:
            st = "wc-cancelled"
        elif i % 20 == 2:
            st = "wc-refunded"
        elif i % 20 == 3:
            st = "wc-failed"
        net = round(a / 1.19, 2)
        rows.append([o[1:], 0, t, t - pd.Timedelta(hours=1), 2, a, round(a - net, 2), 0, net, i % 2, st, c[1:]])
        if st in ("wc-completed", "wc-refunded"):
            n[0] += a
            n[1] += net
        if st == "wc-refunded" or i % 20 == 4:
            f = 1 if st == "wc-refunded" else 0.5
            v = round(a * f, 2)
            vn = round(net * f, 2)
            k += 1
            t2 = t + pd.Timedelta(days=6)
            rows.append(
                [k, o[1:], t2, t2 - pd.Timedelta(hours=1), -1, -v, -round(v - vn, 2), 0, -vn, "", "wc-completed", c[1:]]
            )
            n[0] -= v
            n[1] -= vn
    return (
        tab(
            d,
            "order_id,parent_id,date_created,date_created_gmt,num_items_sold,total_sales,tax_total,shipping_total,net_total,returning_customer,status,customer_id".split(
                ","
            ),
            rows,
        ),
        T(n),
        None,
    )


@case
def p09_bigcommerce_guests(d):
    """Customer ID 0 for guests (with email), statuses, refund amounts, US dates and time apart."""
    b = base(309)
    rows = []
    net = 0
    cust = set()
    for i, (c, t, a, o) in enumerate(b.values):
        guest = int(c[1:]) % 3 == 0
        st = [
            "Completed",
            "Shipped",
            "Completed",
            "Completed",
            "Shipped",
            "Cancelled",
            "Declined",
            "Refunded",
            "Partially Refunded",
            "Incomplete",
        ][i % 10]
        ref = {"Refunded": a, "Partially Refunded": round(a / 2, 2)}.get(st, 0)
        rows.append(
            [
                o[1:],
                0 if guest else c[1:],
                c + " X",
                em(c),
                t.strftime("%m/%d/%Y"),
                t.strftime("%H:%M:%S"),
                st,
                round(a / 1.19, 2),
                round(a - a / 1.19, 2),
                a,
                ref,
                "USD",
                "credit card",
            ]
        )
        if st in ("Completed", "Shipped", "Refunded", "Partially Refunded"):
            net += a - ref
            cust.add(c)
    return (
        tab(
            d,
            [
                "Order ID",
                "Customer ID",
                "Customer Name",
                "Customer Email",
                "Order Date",
                "Order Time",
                "Order Status",
                "Order Total (ex tax)",
                "Tax Total",
                "Order Total (inc tax)",
                "Refund Amount",
                "Order Currency Code",
                "Payment Method",
            ],
            rows,
        ),
        T(net, None, arguable="customers with fully refunded orders alone"),
        None,
    )


@case
def p11_square_transactions(d):
    """Gift card sales apart, tips, tax, fees negative, partial refunds."""
    b = base(311)
    rows = []
    n = [0, 0]
    cust = set()
    for i, (c, t, a, o) in enumerate(b.values):
        disc = round(a * 0.1, 2) if i % 4 == 0 else 0.0
        net = round(a - disc, 2)
        gift = 25.0 if i % 19 == 0 else 0.0
        tax = round(net * 0.08, 2)
        tip = 3.0 if i % 3 == 0 else 0.0
        tot = round(net + gift + tax + tip, 2)
        fee = round(tot * 0.026 + 0.1, 2)
        m = lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}"
        rows.append(
            [
                t.strftime("%m/%d/%y"),
                t.strftime("%H:%M:%S"),
                "Pacific Time (US & Canada)",
                m(a),
                m(-disc),
                "$0.00",
                m(net),
                m(gift),
                m(tax),
                m(tip),
                "$0.00",
                m(tot),
                "Register",
                m(tot),
                "Tapped",
                "$0.00",
                "$0.00",
                "$0.00",
                "",
                "",
                m(-fee),
                m(tot - fee),
                "TX" + o,
                "PY" + o,
                "Visa",
                "1234",
                "Reg",
                "Staff",
                "ST1",
                "https://x",
                "Tee",
                "Payment",
                "Shop",
                "",
                "CU" + c,
                "N " + c,
            ]
        )
        n[0] += net
        n[1] += tot
    return (
        tab(
            d,
            "Date,Time,Time Zone,Gross Sales,Discounts,Service Charges,Net Sales,Gift Card Sales,Tax,Tip,Partial Refunds,Total Collected,Source,Card,Card Entry Methods,Cash,Square Gift Card,Other Tender,Other Tender Type,Tender Note,Fees,Net Total,Transaction ID,Payment ID,Card Brand,PAN Suffix,Device Name,Staff Name,Staff ID,Details,Description,Event Type,Location,Dining Option,Customer ID,Customer Name".split(
                ","
            ),
            rows,
            "transactions.csv",
        ),
        T(n, 150),
        None,
    )


@case
def p13_stripe_payments_converted(d):
    """Dashboard payments: three currencies with Converted Amount in EUR; failed and refunded."""
    b = base(313)
    rows = []
    net = 0
    cust = set()
    for i, (c, t, a, o) in enumerate(b.values):
        cur, fx = [("eur", 1), ("usd", 1.08), ("gbp", 0.86)][i % 3]
        st = "Paid"
        ref = 0.0
        if i % 8 == 1:
            st = "Failed"
        elif i % 16 == 2:
            st = "Refunded"
            ref = a
        elif i % 16 == 4:
            ref = round(a / 2, 2)
        f = lambda v: f"{v * fx:.2f}"
        rows.append(
            [
                "ch_" + o,
                t.strftime("%Y-%m-%d %H:%M:%S"),
                f(a),
                f(ref),
                cur,
                "true" if st != "Failed" else "false",
                f"{a:.2f}" if st != "Failed" else "",
                f"{ref:.2f}" if st != "Failed" else "",
                "eur" if st != "Failed" else "",
                "card_declined" if st == "Failed" else "",
                f"Order {o}",
                f"{a * 0.014 + 0.25:.2f}" if st != "Failed" else "",
                st,
                "Payment complete.",
                "card_" + o,
                "cus_" + c,
                em(c),
                "",
            ]
        )
        if st != "Failed":
            net += a - ref
            cust.add(c)
    return (
        tab(
            d,
            [
                "id",
                "Created date (UTC)",
                "Amount",
                "Amount Refunded",
                "Currency",
                "Captured",
                "Converted Amount",
                "Converted Amount Refunded",
                "Converted Currency",
                "Decline Reason",
                "Description",
                "Fee",
                "Status",
                "Seller Message",
                "Card ID",
                "Customer ID",
                "Customer Email",
                "Invoice ID",
            ],
            rows,
            "unified_payments.csv",
        ),
        T(net),
        None,
    )


@case
def p15_stripe_invoices(d):
    """Invoices: Amount Due, Amount Paid, Subtotal, Tax, Total; draft, open, void, uncollectible."""
    b = base(315)
    rows = []
    n = [0, 0]
    for i, (c, t, a, o) in enumerate(b.values):
        st = ["paid", "paid", "paid", "void", "open", "uncollectible", "draft", "paid", "paid", "paid"][i % 10]
        tax = round(a * 0.2, 2)
        tot = round(a + tax, 2)
        paid = tot if st == "paid" else 0
        rows.append(
            [
                "in_" + o,
                f"{tot:.2f}",
                f"{paid:.2f}",
                f"{0 if st == 'paid' else tot:.2f}",
                1,
                "charge_automatically",
                "eur",
                "cus_" + c,
                em(c),
                t.strftime("%Y-%m-%d %H:%M"),
                (t + pd.Timedelta(days=14)).strftime("%Y-%m-%d %H:%M"),
                "INV-" + o,
                "TRUE" if paid else "FALSE",
                "sub_" + c,
                f"{a:.2f}",
                "0.00",
                f"{tax:.2f}",
                "20.0",
                f"{tot:.2f}",
                st,
            ]
        )
        if st == "paid":
            n[0] += tot
            n[1] += a
    return (
        tab(
            d,
            [
                "id",
                "Amount Due",
                "Amount Paid",
                "Amount Remaining",
                "Attempt Count",
                "Billing",
                "Currency",
                "Customer",
                "Customer Email",
                "Date (UTC)",
                "Due Date (UTC)",
                "Number",
                "Paid",
                "Subscription",
                "Subtotal",
                "Starting Balance",
                "Tax",
                "Tax Percent",
                "Total",
                "Status",
            ],
            rows,
            "invoices.csv",
        ),
        T(n),
        None,
    )


@case
def p17_klarna_settlement(d):
    """Klarna settlement: SALE, FEE, RETURN, no customer. Right: ask or refuse (a reading by order as customer is false)."""
    b = base(317)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        for ty, am in (("SALE", a), ("FEE", -round(a * 0.03, 2))) + (
            (("RETURN", -round(a / 2, 2)),) if i % 9 == 0 else ()
        ):
            rows.append(
                [
                    ty,
                    t.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    (t - pd.Timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "kl-" + o,
                    o[1:],
                    o,
                    "",
                    f"{am:.2f}",
                    "EUR",
                    "P" + t.strftime("%Y%W"),
                    "DE",
                ]
            )
    return (
        tab(
            d,
            [
                "type",
                "capture_date",
                "sale_date",
                "order_id",
                "short_order_id",
                "merchant_reference1",
                "merchant_reference2",
                "amount",
                "currency",
                "payout_id",
                "purchase_country",
            ],
            rows,
        ),
        T(-1, 0),
        None,
    )


@case
def p19_squarespace_lines(d):
    """Squarespace: order fields on the first line of each order, refunds, pending and cancelled orders."""
    b = base(319)
    r = rng(319)
    rows = []
    n = [0, 0]
    h = [
        "Order ID",
        "Email",
        "Financial Status",
        "Paid at",
        "Fulfillment Status",
        "Fulfilled at",
        "Currency",
        "Subtotal",
        "Shipping",
        "Taxes",
        "Amount Refunded",
        "Total",
        "Discount Code",
        "Discount Amount",
        "Shipping Method",
        "Created at",
        "Lineitem quantity",
        "Lineitem name",
        "Lineitem price",
        "Lineitem sku",
        "Billing Name",
        "Billing Address1",
        "Channel Type",
    ]
    for i, (c, t, a, o) in enumerate(b.values):
        st, ref, fu = "PAID", 0.0, "FULFILLED"
        if i % 12 == 1:
            st, ref = "REFUNDED", round(a + 5, 2)
        elif i % 12 == 2:
            st, ref = "PARTIALLY_REFUNDED", round(a / 2, 2)
        elif i % 12 == 3:
            st, fu = "PENDING", "CANCELED"
        for k, p in enumerate(parts(r, a)):
            ts = t.strftime("%Y-%m-%d %H:%M:%S -0500")
            rows.append(
                [o[1:].zfill(5), em(c)]
                + (
                    [
                        st,
                        ts,
                        fu,
                        ts,
                        "USD",
                        f"{a:.2f}",
                        "5.00",
                        "0.00",
                        f"{ref:.2f}",
                        f"{a + 5:.2f}",
                        "",
                        "0.00",
                        "UPS",
                        ts,
                    ]
                    if k == 0
                    else [""] * 14
                )
                + [1, "Tee", f"{p:.2f}", f"SQ{k}", c if k == 0 else "", ADDR if k == 0 else "", "web"]
            )
        if st != "PENDING":
            n[0] += a + 5 - ref
            n[1] += a - min(a, ref)
    return tab(d, h, rows), T([n[0], n[1], sum(0 for _ in []) + n[0] - 0]), None


@case
def p21_amazon_three_currencies(d):
    """Amazon all orders (tab): EUR, SEK and PLN in 'currency', no rates. Right: ask, refuse, or warn of the sum."""
    b = base(321)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        cur, fx, ch = [("EUR", 1, "Amazon.de"), ("SEK", 11, "Amazon.se"), ("PLN", 4.5, "Amazon.pl")][i % 3]
        st = "Shipped" if i % 10 else "Cancelled"
        rows.append(
            [
                f"302-{o[1:]}-1",
                "",
                t.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
                t.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
                st,
                "Amazon",
                ch,
                "Expedited",
                "Tee",
                f"SKU{i % 9}",
                f"B00{i % 9}",
                st,
                1 if st == "Shipped" else 0,
                cur if st == "Shipped" else "",
                f"{a * fx:.2f}" if st == "Shipped" else "",
                "0.00",
                "3.99",
                "",
                "",
                f"0.00",
                em(c),
            ]
        )
    return (
        tab(
            d,
            "amazon-order-id,merchant-order-id,purchase-date,last-updated-date,order-status,fulfillment-channel,sales-channel,ship-service-level,product-name,sku,asin,item-status,quantity,currency,item-price,item-tax,shipping-price,shipping-tax,gift-wrap-price,item-promotion-discount,buyer-email".split(
                ","
            ),
            rows,
            "orders.txt",
            sep="\t",
        ),
        T(-1, None),
        None,
    )


@case
def p23_ebay_transactions_german(d):
    """eBay.de Transaktionsbericht: preface, month words, '--' for blanks, payouts, labels, refunds; buyer's name."""
    b = base(323)
    rows = []
    n = [0, 0]
    pre = '"Transaktionsbericht"\n"Startdatum";"01. Mrz. 2022"\n"Enddatum";"31. Aug 2023"\n"Zeitzone: MEZ"\n\n'
    dd = lambda t: f"{t.day}. {MONTH_DE[t.month - 1]} {t.year}"
    for i, (c, t, a, o) in enumerate(b.values):
        fee = round(a * 0.11, 2)
        s = 4.9
        rows.append(
            [
                dd(t),
                "Bestellung",
                "12-" + o[1:],
                "leg",
                c + "_buyer",
                "Name " + c,
                "Berlin",
                "DE",
                eu(a + s - fee),
                "EUR",
                eu(a),
                eu(s),
                eu(-0.35),
                eu(-(fee - 0.35)),
                eu(a + s),
                "EUR",
            ]
        )
        n[0] += a + s
        n[1] += a
        if i % 9 == 0:
            v = round(a / 2, 2)
            rows.append(
                [
                    dd(t + pd.Timedelta(days=5)),
                    "Rückerstattung",
                    "12-" + o[1:],
                    "leg",
                    c + "_buyer",
                    "Name " + c,
                    "Berlin",
                    "DE",
                    eu(-v + round(v * 0.1, 2)),
                    "EUR",
                    eu(-v),
                    "0,00",
                    "0,35",
                    eu(round(v * 0.1, 2) - 0.35),
                    eu(-v),
                    "EUR",
                ]
            )
            n[0] -= v
            n[1] -= v
        if i % 8 == 0:
            rows.append(
                [
                    dd(t + pd.Timedelta(days=1)),
                    "Auszahlung",
                    "--",
                    "--",
                    "--",
                    "--",
                    "--",
                    "--",
                    eu(-200),
                    "EUR",
                    "--",
                    "--",
                    "--",
                    "--",
                    eu(-200),
                    "EUR",
                ]
            )
        if i % 10 == 0:
            rows.append(
                [
                    dd(t + pd.Timedelta(days=1)),
                    "Versandetikett",
                    "12-" + o[1:],
                    "--",
                    c + "_buyer",
                    "--",
                    "--",
                    "--",
                    eu(-4.19),
                    "EUR",
                    "--",
                    "--",
                    "--",
                    "--",
                    eu(-4.19),
                    "EUR",
                ]
            )
    return (
        tab(
            d,
            [
                "Datum der Transaktionserstellung",
                "Typ",
                "Bestellnummer",
                "Legacy-Bestellnummer",
                "Nutzername des Käufers",
                "Name des Käufers",
                "Versandstadt",
                "Land",
                "Betrag abzügl. Kosten",
                "Auszahlungswährung",
                "Zwischensumme Artikel",
                "Verpackung und Versand",
                "Fixer Anteil der Verkaufsprovision",
                "Variabler Anteil der Verkaufsprovision",
                "Transaktionsbetrag (inkl. Kosten)",
                "Transaktionswährung",
            ],
            rows,
            sep=";",
            pre=pre,
            enc="utf-8-sig",
        ),
        T(n, 150),
        None,
    )


@case
def p25_etsy_order_items(d):
    """EtsySoldOrderItems: Buyer only, quantity, Price, Item Total, order shipping repeated on lines."""
    b = base(325)
    r = rng(325)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        for k, p in enumerate(parts(r, a)):
            qn = 1 + k % 2
            rows.append(
                [
                    t.strftime("%m/%d/%y"),
                    "Ring, silver",
                    f"Name {c} ({c.lower()})",
                    qn,
                    f"{p:.2f}",
                    "",
                    "",
                    "0.00",
                    "0.00",
                    "4.50",
                    "0.00",
                    f"{p * qn:.2f}",
                    "USD",
                    3000000 + len(rows),
                    1200 + k,
                    t.strftime("%m/%d/%Y"),
                    "",
                    "Name " + c,
                    ADDR,
                    "Berlin",
                    "2400" + o[1:],
                    "Size:7",
                    "online",
                    "Credit Card",
                    "",
                    "",
                ]
            )
            n += p * qn
    return (
        tab(
            d,
            [
                "Sale Date",
                "Item Name",
                "Buyer",
                "Quantity",
                "Price",
                "Coupon Code",
                "Coupon Details",
                "Discount Amount",
                "Shipping Discount",
                "Order Shipping",
                "Order Sales Tax",
                "Item Total",
                "Currency",
                "Transaction ID",
                "Listing ID",
                "Date Paid",
                "Date Shipped",
                "Ship Name",
                "Ship Address1",
                "Ship City",
                "Order ID",
                "Variations",
                "Order Type",
                "Payment Type",
                "InPerson Discount",
                "InPerson Location",
            ],
            rows,
        ),
        T(n, 150),
        None,
    )


@case
def p27_tiktok_shop(d):
    """TikTok Shop: second line describes the columns, order amount repeated on lines, refunds, tabs behind ids and times."""
    b = base(327)
    r = rng(327)
    rows = []
    n = [0, 0]
    h = [
        "Order ID",
        "Order Status",
        "Order Substatus",
        "Cancelation/Return Type",
        "SKU ID",
        "Seller SKU",
        "Product Name",
        "Quantity",
        "Sku Quantity of return",
        "SKU Unit Original Price",
        "SKU Subtotal Before Discount",
        "SKU Platform Discount",
        "SKU Seller Discount",
        "SKU Subtotal After Discount",
        "Shipping Fee After Discount",
        "Taxes",
        "Order Amount",
        "Order Refund Amount",
        "Created Time",
        "Paid Time",
        "Cancelled Time",
        "Buyer Username",
        "Payment Method",
    ]
    rows.append(
        [
            "Platform unique order ID.",
            "Current order status.",
            "Current order substatus.",
            "Type",
            "Platform unique SKU ID.",
            "Seller SKU",
            "Product name",
            "SKU sold quantity in the order.",
            "Returned",
            "Original unit price.",
            "It equals SKU Unit Original Price * quantity.",
            "Platform discount",
            "Seller discount",
            "It equals SKU Subtotal Before Discount - discounts.",
            "Fee",
            "Tax",
            "It equals SKU Subtotal After Discount + Shipping Fee + Taxes",
            "Refunds",
            "Order created time.",
            "Order paid time.",
            "Cancelled time",
            "Buyer user name.",
            "Method",
        ]
    )
    for i, (c, t, a, o) in enumerate(b.values):
        st, ty, ref = "Completed", "", 0.0
        if i % 11 == 1:
            st, ty = "Canceled", "Cancel"
        elif i % 11 == 2:
            ty, ref = "Return/Refund", round(a / 2, 2)
        ps = parts(r, a)
        ship = 2.5
        tot = round(a + ship, 2)
        for k, p in enumerate(ps):
            f = lambda x: x.strftime("%m/%d/%Y %I:%M:%S %p") + "\t"
            rows.append(
                [
                    "57" + o[1:].zfill(16) + "\t",
                    st,
                    st,
                    ty,
                    f"17294{k}\t",
                    f"S{k}",
                    "Tee",
                    1,
                    1 if ref and k == 0 else 0,
                    f"{p:.2f}",
                    f"{p:.2f}",
                    "0",
                    "0",
                    f"{p:.2f}",
                    ship,
                    "0",
                    tot,
                    ref,
                    f(t),
                    f(t),
                    f(t) if st == "Canceled" else "\t",
                    c.lower() + "\t",
                    "Card",
                ]
            )
        if st != "Canceled":
            n[0] += tot - ref
            n[1] += a - ref
    return tab(d, h, rows, quoting=_csv.QUOTE_ALL, enc="utf-8-sig"), T(n), None


@case
def p29_mercado_livre_pt(d):
    """Mercado Livre Brazil XLSX: preface rows, '5 de janeiro de 2023 12:34 hs.', package rows (several products: a summary row and then its rows), refunds negative."""
    b = base(329)
    r = rng(329)
    out = []
    n = [0]
    h = [
        "N.º de venda",
        "Data da venda",
        "Estado",
        "Descrição do status",
        "Pacote de diversos produtos",
        "Unidades",
        "Receita por produtos (BRL)",
        "Receita por envio (BRL)",
        "Tarifa de venda e impostos (BRL)",
        "Cancelamentos e reembolsos (BRL)",
        "Total (BRL)",
        "SKU",
        "Título do anúncio",
        "Preço unitário de venda do anúncio (BRL)",
        "Comprador",
        "CPF",
    ]
    for i, (c, t, a, o) in enumerate(b.values):
        dt = f"{t.day} de {MES_PT[t.month - 1]} de {t.year} {t:%H:%M} hs."
        ref = 0
        st = "Entregue"
        if i % 12 == 1:
            st = "Cancelada pelo comprador"
            ref = -a
        elif i % 12 == 2:
            st = "Devolução parcial"
            ref = -round(a / 2, 2)
        out.append(
            [
                "2000" + o[1:],
                dt,
                st,
                "",
                "Não",
                1,
                a,
                5.0,
                -round(a * 0.15, 2),
                ref or "",
                round(a + 5 - a * 0.15 + ref, 2),
                "S",
                "Camiseta",
                a,
                "Nome " + c,
                c[1:].zfill(11),
            ]
        )
        n[0] += a + ref
    import openpyxl

    wb = openpyxl.Workbook()
    ws = wb.active
    ws.title = "Vendas BR"
    ws.append(["Vendas"])
    ws.append([])
    ws.append(["Estado das suas vendas em 1 de setembro de 2023"])
    ws.append([])
    ws.append(["Vendas"] + [""] * 12 + ["Anúncios", "Compradores"])
    ws.append(h)
    [ws.append(x) for x in out]
    p = d / "vendas.xlsx"
    wb.save(p)
    return [p], T(n), None


@case
def p31_otto_receipts(d):
    """OTTO Belege: purchases and (partial) refunds with positive amounts, by document type in English capitals."""
    b = base(331)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append(["R" + o, "PURCHASE", t.strftime("%d.%m.%Y"), "b" + o, c[1:], eu(a), "19,00", "EUR"])
        n += a
        if i % 8 == 0:
            v = a if i % 16 == 0 else round(a / 3, 2)
            rows.append(
                [
                    "G" + o,
                    "REFUND" if i % 16 == 0 else "PARTIAL_REFUND",
                    (t + pd.Timedelta(days=9)).strftime("%d.%m.%Y"),
                    "b" + o,
                    c[1:],
                    eu(v),
                    "19,00",
                    "EUR",
                ]
            )
            n -= v
    return (
        tab(
            d,
            [
                "Belegnummer",
                "Belegart",
                "Belegdatum",
                "Bestellnummer",
                "Kundennummer",
                "Bruttobetrag",
                "MwSt-Satz",
                "Währung",
            ],
            rows,
            sep=";",
        ),
        T(n, 150),
        None,
    )


@case
def p33_jd_settlement(d):
    """京东 settlement: 货款, 佣金, 运费 rows with direction 收入/支出 and positive amounts."""
    b = base(333)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda dz, fy, v, fx, k=0: rows.append(
            [o[1:], dz, fy, (t + pd.Timedelta(days=k)).strftime("%Y/%m/%d %H:%M:%S"), f"{v:.2f}", fx, "jd_" + c]
        )
        s("订单", "货款", a, "收入")
        s("订单", "佣金", round(a * 0.05, 2), "支出")
        s("订单", "交易服务费", round(a * 0.006, 2), "支出")
        n += a
        if i % 9 == 0:
            v = round(a / 2, 2)
            s("售后服务单", "货款", v, "支出", 7)
            n -= v
    return (
        tab(
            d, ["订单编号", "单据类型", "费用名称", "费用发生时间", "金额", "收支方向", "客户账号"], rows, enc="gb18030"
        ),
        T(n, 150),
        None,
    )


@case
def p35_wechat_pay_bill(d):
    """微信支付对账单: each cell with a backtick, SUCCESS and REFUND rows, summary lines at the end."""
    b = base(335)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda st, am, ref, k=0: rows.append(
            [
                "`" + str(x)
                for x in [
                    (t + pd.Timedelta(days=k)).strftime("%Y-%m-%d %H:%M:%S"),
                    "wx12",
                    "14000",
                    "",
                    "",
                    "4200" + o[1:],
                    o,
                    "oU" + c,
                    "JSAPI",
                    st,
                    "OTHERS",
                    "CNY",
                    f"{am:.2f}",
                    "0.00",
                    "50" + o[1:] if ref else "0",
                    "T" + o if ref else "0",
                    f"{ref:.2f}",
                    "0.00",
                    "ORIGINAL" if ref else "",
                    "SUCCESS" if ref else "",
                    "商品",
                    "",
                    f"{am * 0.006:.5f}",
                    "0.60%",
                ]
            ]
        )
        s("SUCCESS", a, 0)
        n += a
        if i % 9 == 0:
            v = round(a / 2, 2)
            s("REFUND", 0, v, 4)
            n -= v
    post = (
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额\n"
        + f"`{len(rows)},`{b.amt.sum():.2f},`1200.00,`0.00,`146.00\n"
    )
    return (
        tab(
            d,
            "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率".split(
                ","
            ),
            rows,
            post=post,
            enc="utf-8-sig",
        ),
        T(n, 150),
        None,
    )


@case
def p37_mirakl_orders(d):
    """Mirakl: statuses, commission, line totals and order total incl. VAT on each line, semicolons."""
    b = base(337)
    r = rng(337)
    rows = []
    n = [0, 0]
    for i, (c, t, a, o) in enumerate(b.values):
        st = ["Closed", "Received", "Shipped", "Closed", "Refused", "Canceled", "Received", "Awaiting debit payment"][
            i % 8
        ]
        ps = parts(r, a)
        ship = 3.5
        for k, p in enumerate(ps):
            rows.append(
                [
                    t.strftime("%d/%m/%Y - %H:%M:%S"),
                    o + "-A",
                    f"{o}-A-{k + 1}",
                    "1",
                    f"SKU{k}",
                    "Tee",
                    st,
                    f"{p:.2f}",
                    f"{ship if k == 0 else 0:.2f}",
                    f"{p + (ship if k == 0 else 0):.2f}",
                    f"{p * 0.15:.2f}",
                    f"{a + ship:.2f}",
                    "EUR",
                    c.lower(),
                ]
            )
        if st in ("Closed", "Received", "Shipped"):
            n[0] += a
            n[1] += a + ship
    return (
        tab(
            d,
            [
                "Date created",
                "Order number",
                "Order line number",
                "Quantity",
                "Offer SKU",
                "Details",
                "Status",
                "Amount",
                "Shipping price",
                "Total amount of order line incl. shipping",
                "Commission (excluding taxes)",
                "Total order amount incl. VAT (including shipping charges)",
                "Currency",
                "Customer ID",
            ],
            rows,
            sep=";",
        ),
        T(n),
        None,
    )


@case
def p39_wildberries_report(d):
    """Wildberries: Продажа, Возврат (positive amounts), Логистика and Штраф rows; buyer's id."""
    b = base(339)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda doc, why, v, pay, lg, fine, k=0: rows.append(
            [
                len(rows) + 1,
                "S1",
                "A1",
                doc,
                why,
                t.strftime("%Y-%m-%d"),
                (t + pd.Timedelta(days=k)).strftime("%Y-%m-%d"),
                1 if v else 0,
                f"{v:.2f}",
                f"{pay:.2f}",
                f"{lg:.2f}",
                f"{fine:.2f}",
                c,
                o,
            ]
        )
        s("Продажа", "Продажа", a, a * 0.8, 0, 0)
        s("", "Логистика", 0, 0, 45, 0)
        n += a
        if i % 9 == 0:
            s("Возврат", "Возврат", a, a * 0.8, 0, 0, 6)
            n -= a
        if i % 40 == 0:
            s("", "Штраф", 0, 0, 0, 500, 7)
    return (
        tab(
            d,
            [
                "№",
                "Предмет",
                "Артикул поставщика",
                "Тип документа",
                "Обоснование для оплаты",
                "Дата заказа покупателем",
                "Дата продажи",
                "Кол-во",
                "Вайлдберриз реализовал Товар (Пр)",
                "К перечислению Продавцу за реализованный Товар",
                "Услуги по доставке товара покупателю",
                "Общая сумма штрафов",
                "ID клиента",
                "Srid",
            ],
            rows,
        ),
        T(n, 150),
        None,
    )


@case
def p41_odoo_orders_lines(d):
    """Odoo: order fields on the first line only, quotations and cancelled orders, subtotal of lines and total of the order; German."""
    b = base(341)
    r = rng(341)
    rows = []
    n = [0, 0]
    for i, (c, t, a, o) in enumerate(b.values):
        st = [
            "Verkaufsauftrag",
            "Verkaufsauftrag",
            "Angebot",
            "Verkaufsauftrag",
            "Abgebrochen",
            "Verkaufsauftrag",
            "Angebot gesendet",
            "Verkaufsauftrag",
        ][i % 8]
        for k, p in enumerate(parts(r, a)):
            rows.append(
                (
                    [
                        f"S{o[1:].zfill(5)}",
                        t.strftime("%d.%m.%Y %H:%M:%S"),
                        "Firma " + c,
                        "Admin",
                        "Meine GmbH",
                        f"{a:.2f}",
                        f"{a * 1.19:.2f}",
                        st,
                    ]
                    if k == 0
                    else [""] * 8
                )
                + ["Tisch", "1,00" if False else "1.0", f"{p:.2f}", f"{p:.2f}"]
            )
        if st == "Verkaufsauftrag":
            n[0] += a
            n[1] += round(a * 1.19, 2)
    return (
        tab(
            d,
            [
                "Auftragsreferenz",
                "Bestelldatum",
                "Kunde",
                "Verkäufer",
                "Unternehmen",
                "Nettobetrag",
                "Gesamt",
                "Status",
                "Auftragszeilen/Produkt",
                "Auftragszeilen/Menge",
                "Auftragszeilen/Preis pro Einheit",
                "Auftragszeilen/Zwischensumme",
            ],
            rows,
            enc="utf-8-sig",
        ),
        T(n),
        None,
    )


@case
def p43_netsuite_search(d):
    """NetSuite transaction search: main line and line rows together ('*' marks the main line), invoices, credit memos, payments, sales orders."""
    b = base(343)
    r = rng(343)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        dt = t.strftime("%-m/%-d/%Y")

        def s(ty, no, sign, ps, st):
            rows.append([dt, ty, no, f"{c[1:]} Name {c}", "*", "", "", f"{sign * sum(ps):,.2f}", st])
            for k, p in enumerate(ps):
                rows.append([dt, ty, no, f"{c[1:]} Name {c}", "", f"Item {k}", sign, f"{sign * p:,.2f}", st])

        ps = parts(r, a)
        s("Sales Order", "SO" + o[1:], 1, ps, "Billed")
        s("Invoice", "INV" + o[1:], 1, ps, "Paid In Full")
        n += a
        rows.append([dt, "Payment", "PYMT" + o[1:], f"{c[1:]} Name {c}", "*", "", "", f"{a:,.2f}", "Deposited"])
        if i % 10 == 0:
            s("Credit Memo", "CM" + o[1:], -1, [ps[0]], "Fully Applied")
            n -= ps[0]
    return (
        tab(d, ["Date", "Type", "Document Number", "Name", "*", "Item", "Quantity", "Amount", "Status"], rows),
        T(n, 150),
        None,
    )


@case
def p45_hubspot_deals(d):
    """HubSpot deals: stages, amount and amount in company currency, create and close date; open and lost deals."""
    b = base(345)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        st = ["Closed won", "Closed won", "Closed lost", "Closed won", "Contract sent", "Appointment scheduled"][i % 6]
        cur, fx = [("EUR", 1), ("USD", 1.1)][i % 2]
        rows.append(
            [
                "90" + o[1:],
                f"Deal {o}",
                st,
                (t + pd.Timedelta(days=30)).strftime("%Y-%m-%d %H:%M"),
                t.strftime("%Y-%m-%d %H:%M"),
                f"{a * fx:.2f}",
                f"{a:.2f}",
                cur,
                f"Firma {c}",
                c[1:],
                "Sales Pipeline",
                "Max Mustermann",
            ]
        )
        n += a if st == "Closed won" else 0
    return (
        tab(
            d,
            [
                "Record ID",
                "Deal Name",
                "Deal Stage",
                "Close Date",
                "Create Date",
                "Amount",
                "Amount in company currency",
                "Currency",
                "Associated Company",
                "Associated Company IDs",
                "Pipeline",
                "Deal owner",
            ],
            rows,
        ),
        T(n),
        None,
    )


@case
def p47_recharge_charges(d):
    """Recharge charges: SUCCESS, ERROR, SKIPPED, QUEUED (future), REFUNDED, PARTIALLY_REFUNDED with Total refunds."""
    b = base(347)
    rows = []
    n = [0, 0]
    for i, (c, t, a, o) in enumerate(b.values):
        st = [
            "SUCCESS",
            "SUCCESS",
            "SUCCESS",
            "ERROR",
            "SKIPPED",
            "REFUNDED",
            "PARTIALLY_REFUNDED",
            "SUCCESS",
            "QUEUED",
            "SUCCESS",
        ][i % 10]
        ref = {"REFUNDED": a, "PARTIALLY_REFUNDED": round(a / 2, 2)}.get(st, 0)
        when = t if st != "QUEUED" else t + pd.Timedelta(days=2000)
        rows.append(
            [
                "77" + o[1:],
                em(c),
                c[1:],
                st,
                when.strftime("%Y-%m-%d %H:%M:%S"),
                t.strftime("%Y-%m-%d %H:%M:%S") if st in ("SUCCESS", "REFUNDED", "PARTIALLY_REFUNDED") else "",
                f"{a / 1.1:.2f}",
                f"{a - a / 1.1:.2f}",
                f"{a:.2f}",
                f"{ref:.2f}",
            ]
        )
        if st in ("SUCCESS", "REFUNDED", "PARTIALLY_REFUNDED"):
            n[0] += a - ref
    return (
        tab(
            d,
            [
                "charge_id",
                "email",
                "customer_id",
                "charge_status",
                "scheduled_at",
                "processed_at",
                "subtotal_price",
                "total_tax",
                "total_price",
                "total_refunds",
            ],
            rows,
        ),
        T(n[0]),
        None,
    )


@case
def p49_recurly_transactions(d):
    """Recurly: purchase, refund (positive), verify, authorization; success, declined, void."""
    b = base(349)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda ty, st, v, k=0: rows.append(
            [
                f"{len(rows):032x}",
                (t + pd.Timedelta(days=k)).strftime("%Y-%m-%d %H:%M:%S UTC"),
                c.lower(),
                "I" + o[1:],
                ty,
                "subscription",
                st,
                f"{v:.2f}",
                "0.00",
                "USD",
                "credit_card",
            ]
        )
        if i % 7 == 0:
            s("purchase", "declined", a)
        if i % 9 == 0:
            s("verify", "success", 0)
        if i % 15 == 3:
            s("purchase", "void", a)
        else:
            s("purchase", "success", a)
            n += a
        if i % 10 == 5 and i % 15 != 3:
            v = round(a / 2, 2)
            s("refund", "success", v, 3)
            n -= v
    return (
        tab(
            d,
            [
                "id",
                "date",
                "account_code",
                "invoice_number",
                "type",
                "origin",
                "status",
                "amount",
                "tax_amount",
                "currency",
                "payment_method",
            ],
            rows,
        ),
        T(n),
        None,
    )


@case
def p51_matomo_live_json(d):
    """Matomo Live.getLastVisitsDetails: visits with nested actionDetails (ecommerceOrder, ecommerceAbandonedCart)."""
    b = base(351)
    out = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        acts = [{"type": "action", "url": "https://shop/x", "timestamp": int(t.timestamp()) - 60, "pageTitle": "X"}]
        if i % 4 == 1:
            acts.append({"type": "ecommerceAbandonedCart", "revenue": a, "items": "1", "timestamp": int(t.timestamp())})
        else:
            acts.append(
                {
                    "type": "ecommerceOrder",
                    "orderId": o,
                    "revenue": a,
                    "revenueSubTotal": a - 4.9,
                    "revenueTax": 0,
                    "revenueShipping": 4.9,
                    "items": "1",
                    "timestamp": int(t.timestamp()),
                }
            )
            n += a
        out.append(
            {
                "idSite": "1",
                "idVisit": str(i + 1),
                "visitorId": f"{int(c[1:]):016x}",
                "serverTimestamp": int(t.timestamp()),
                "visitEcommerceStatus": "ordered" if i % 4 != 1 else "abandonedCart",
                "totalEcommerceRevenue": f"{a:.2f}" if i % 4 != 1 else "0.00",
                "totalAbandonedCartsRevenue": f"{a:.2f}" if i % 4 == 1 else "0.00",
                "actionDetails": acts,
            }
        )
    p = d / "visits.json"
    p.write_text(json.dumps(out))
    return [p], T(n), None


@case
def p53_snowplow_atomic(d):
    """Snowplow atomic.events (tab): transaction rows with tr_total, transaction_item rows with ti_price; page views."""
    b = base(353)
    r = rng(353)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        f = lambda x: x.strftime("%Y-%m-%d %H:%M:%S.000")
        s = lambda ev, x, *v: rows.append(
            ["shop", "web", f(x + pd.Timedelta(seconds=3)), f(x), ev, f"{len(rows):08x}", c, "du-" + c, *v]
        )
        s("page_view", t - pd.Timedelta(minutes=3), *[""] * 8)
        s("transaction", t, o, f"{a:.2f}", "EUR", "", "", "", "", "")
        n += a
        for k, p in enumerate(parts(r, a)):
            s("transaction_item", t, "", "", "", o, f"SKU{k}", f"{p:.2f}", "1", "EUR")
    return (
        tab(
            d,
            "app_id,platform,collector_tstamp,derived_tstamp,event,event_id,user_id,domain_userid,tr_orderid,tr_total,tr_currency,ti_orderid,ti_sku,ti_price,ti_quantity,ti_currency".split(
                ","
            ),
            rows,
            "events.tsv",
            sep="\t",
        ),
        T(n, 150),
        None,
    )


@case
def p55_mixpanel_export(d):
    """Mixpanel raw export: time in seconds, $insert_id repeated for re-sent events, amount in properties; 'Cart Updated' has an amount too."""
    b = base(355)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda ev, x, pr, ins=None: rows.append(
            {
                "event": ev,
                "properties": {
                    "time": int(x.timestamp()),
                    "distinct_id": c,
                    "$insert_id": ins or f"i{len(rows)}",
                    "mp_processing_time_ms": int(x.timestamp() * 1000) + len(rows),
                    **pr,
                },
            }
        )
        s("Cart Updated", t - pd.Timedelta(minutes=9), {"amount": round(a * 1.1, 2)})
        s("Purchase Completed", t, {"amount": a, "order_id": o, "currency": "EUR"}, "p" + o)
        n += a
        if i % 15 == 0:
            s("Purchase Completed", t, {"amount": a, "order_id": o, "currency": "EUR"}, "p" + o)
    return jl(d, rows), T(n, 150), None


@case
def p57_csv_json_line_items(d):
    """No total: line_items as JSON with price and quantity. Right: the sum, or ask."""
    b = base(357)
    r = rng(357)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        it = [{"sku": f"S{k}", "quantity": 1 + k, "price": f"{p:.2f}"} for k, p in enumerate(parts(r, a))]
        rows.append([o, em(c), t.isoformat(), "completed", json.dumps(it)])
        n += sum(float(x["price"]) * x["quantity"] for x in it)
    return tab(d, ["id", "billing_email", "date_created", "status", "line_items"], rows), T(n, 150), None


@case
def p59_wix_german(d):
    """Wix in German: payment states, refunded amount, lines with order total repeated, date words."""
    b = base(359)
    r = rng(359)
    rows = []
    n = [0, 0]
    M = ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."]
    for i, (c, t, a, o) in enumerate(b.values):
        st, ref = "Bezahlt", 0.0
        if i % 10 == 1:
            st, ref = "Erstattet", round(a + 5, 2)
        elif i % 10 == 2:
            st, ref = "Teilweise erstattet", round(a / 2, 2)
        elif i % 10 == 3:
            st = "Nicht bezahlt"
        for k, p in enumerate(parts(r, a)):
            rows.append(
                [
                    o[1:],
                    f"{t.day}. {M[t.month - 1]} {t.year}",
                    t.strftime("%H:%M"),
                    em(c),
                    "T-Shirt",
                    "1",
                    eu(p),
                    eu(5.0),
                    eu(a + 5),
                    st,
                    eu(ref),
                    eu(a + 5 - ref),
                    "EUR",
                ]
            )
        if st != "Nicht bezahlt":
            n[0] += a + 5 - ref
            n[1] += a - min(a, ref)
    return (
        tab(
            d,
            [
                "Bestellnummer",
                "Erstellungsdatum",
                "Uhrzeit",
                "Kunden-E-Mail",
                "Artikel",
                "Menge",
                "Preis",
                "Versand",
                "Gesamtbetrag",
                "Zahlungsstatus",
                "Erstatteter Betrag",
                "Nettobetrag",
                "Währung",
            ],
            rows,
            enc="utf-8-sig",
        ),
        T(n),
        None,
    )


@case
def p61_german_document_chain(d):
    """Belegart: Angebot, Auftragsbestätigung, Lieferschein, Rechnung, Gutschrift, Stornorechnung; positive amounts."""
    b = base(361)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda ty, no, v, k=0: rows.append(
            [
                ty,
                no + o[1:],
                (t + pd.Timedelta(days=k)).strftime("%d.%m.%Y"),
                c[1:],
                "Firma " + c,
                eu(round(v / 1.19, 2), "."),
                eu(v, "."),
            ]
        )
        s("Angebot", "AN", a)
        s("Auftragsbestätigung", "AB", a, 2)
        s("Lieferschein", "LS", a, 4)
        s("Rechnung", "RE", a, 5)
        n += a
        if i % 10 == 0:
            s("Gutschrift", "GS", a / 2, 12)
            n -= round(a / 2, 2)
        if i % 25 == 3:
            s("Stornorechnung", "ST", a, 14)
            n -= a
    net = sum(
        (1 if x[0] == "Rechnung" else -1 if x[0] in ("Gutschrift", "Stornorechnung") else 0)
        * float(x[5].replace(".", "").replace(",", "."))
        for x in rows
    )
    gro = sum(
        (1 if x[0] == "Rechnung" else -1 if x[0] in ("Gutschrift", "Stornorechnung") else 0)
        * float(x[6].replace(".", "").replace(",", "."))
        for x in rows
    )
    return (
        tab(
            d,
            ["Belegart", "Belegnummer", "Belegdatum", "Kundennummer", "Kunde", "Netto", "Brutto"],
            rows,
            sep=";",
            enc="cp1252",
        ),
        T([net, gro], 150),
        None,
    )


@case
def p63_gift_cards(d):
    """Lines with product type 'Gift card' sold and 'Gift card redemption' as a negative line. Gift card sales are a liability; honest readings: with or without sale and redemption."""
    b = base(363)
    rows = []
    n = [0, 0, 0]
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append([o, c, t, "Tee", "product", 1, a])
        n[0] += a
        n[1] += a
        n[2] += a
        if i % 9 == 0:
            rows.append([o, c, t, "Gift card 50", "gift_card", 1, 50.0])
            n[1] += 50
            n[2] += 50
        if i % 13 == 0:
            rows.append([o, c, t, "Gift card redeemed", "gift_card_redemption", 1, -20.0])
            n[2] -= 20
    return (
        tab(d, ["order_id", "customer_id", "created_at", "item", "line_type", "quantity", "line_total"], rows),
        T([n[0], n[1], n[2]], 150, arguable=True),
        None,
    )


@case
def p65_split_shipments(d):
    """One row per shipment with the order's total repeated; shipments of one order on different days."""
    b = base(365)
    r = rng(365)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        for k in range(1 + int(r.integers(0, 3))):
            rows.append(
                [f"SH{len(rows)}", o, c, (t + pd.Timedelta(days=k * 2)).strftime("%Y-%m-%d %H:%M"), a, "shipped"]
            )
        n += a
    return (
        tab(d, ["shipment_id", "order_id", "customer_id", "shipped_at", "order_total", "status"], rows),
        T(n, 150),
        None,
    )


@case
def p67_scenario_actual_budget(d):
    """BI export: rows of Actual and Budget for the same customers; 'Scenario'."""
    b = base(367)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows += [
            ["Actual", c, t.strftime("%Y-%m-%d"), o, a],
            ["Budget", c, t.strftime("%Y-%m-%d"), o, round(a * 1.1, 2)],
        ]
    return tab(d, ["Scenario", "Customer", "Date", "Order", "Revenue"], rows), T(b.amt.sum(), 150), None


@case
def p69_arabic_salla(d):
    """Salla (Arabic): statuses تم التنفيذ, ملغي, مسترجع; Arabic digits in the totals; phone as customer."""
    b = base(369)
    rows = []
    n = 0
    ar = lambda s: "".join(chr(0x660 + int(x)) if x.isdigit() else "٫" if x == "." else x for x in s)
    for i, (c, t, a, o) in enumerate(b.values):
        st = ["تم التنفيذ", "تم التوصيل", "تم التنفيذ", "ملغي", "مسترجع", "تم التنفيذ"][i % 6]
        rows.append(
            [
                o[1:],
                st,
                t.strftime("%Y-%m-%d %H:%M:%S"),
                "عميل " + c,
                "+9665" + c[1:].zfill(8),
                ar(f"{a:.2f}") + " ر.س",
                "الدفع عند الاستلام",
            ]
        )
        n += a if st in ("تم التنفيذ", "تم التوصيل") else 0
    return (
        tab(
            d,
            ["رقم الطلب", "حالة الطلب", "تاريخ الطلب", "اسم العميل", "رقم الجوال", "إجمالي الطلب", "طريقة الدفع"],
            rows,
            enc="utf-8-sig",
        ),
        T(n),
        None,
    )


@case
def p71_hungarian_lines(d):
    """Hungarian: '2023. 01. 05.' dates, space thousands, Ft, discount and shipping as lines."""
    b = base(371)
    rows = []
    n = [0, 0]
    f = lambda v: f"{int(round(v)):,}".replace(",", "\u00a0") + " Ft"
    for i, (c, t, a, o) in enumerate(b.values):
        a = round(a * 100)
        rows.append([o, t.strftime("%Y. %m. %d."), em(c), "Póló", 1, f(a)])
        rows.append([o, t.strftime("%Y. %m. %d."), em(c), "Szállítás", 1, f(990)])
        n[0] += a + 990
        n[1] += a
        if i % 5 == 0:
            v = round(a * 0.1)
            rows.append([o, t.strftime("%Y. %m. %d."), em(c), "Kedvezmény", 1, "-" + f(v)])
            n[0] -= v
            n[1] -= v
    return (
        tab(d, ["Rendelésszám", "Dátum", "E-mail cím", "Termék", "Mennyiség", "Összeg"], rows, sep=";"),
        T(n, 150),
        None,
    )


@case
def p73_toast_tips(d):
    """Toast orders: Amount (net), Tax, Tip, Gratuity, Total, Voided; guests without id."""
    b = base(373)
    rows = []
    n = [0, 0]
    cust = set()
    for i, (c, t, a, o) in enumerate(b.values):
        v = i % 14 == 3
        g = i % 5 == 0
        tax = round(a * 0.08, 2)
        tip = round(a * 0.18, 2)
        rows.append(
            [
                "Bar",
                o,
                o[1:],
                "#12",
                t.strftime("%-m/%-d/%y %-I:%M %p"),
                t.strftime("%-m/%-d/%y %-I:%M %p"),
                2,
                "T1",
                "Server A",
                "" if g else "G" + c,
                a,
                tax,
                tip,
                0,
                round(a + tax + tip, 2),
                "true" if v else "false",
            ]
        )
        if not v and not g:
            n[0] += a
            n[1] += a + tax + tip
            cust.add(c)
    return (
        tab(
            d,
            [
                "Location",
                "Order Id",
                "Order #",
                "Checks",
                "Opened",
                "Closed",
                "# of Guests",
                "Tab Names",
                "Server",
                "Customer ID",
                "Amount",
                "Tax",
                "Tip",
                "Gratuity",
                "Total",
                "Voided",
            ],
            rows,
        ),
        T(n, len(cust)),
        None,
    )


@case
def p75_local_and_utc_times(d):
    """Both created_at_utc and created_at_local (+09:00, no offset): either is honest if told; the sum is plain."""
    b = base(375)
    rows = [
        [
            o,
            c,
            t.strftime("%Y-%m-%d %H:%M:%S"),
            (t + pd.Timedelta(hours=9)).strftime("%Y-%m-%d %H:%M:%S"),
            "¥",
            int(a * 100),
        ]
        for c, t, a, o in b.values
    ]
    return (
        tab(d, ["order_id", "customer_id", "created_at_utc", "created_at_local", "cur", "total"], rows),
        T(sum(x[5] for x in rows), 150),
        None,
    )


@case
def p77_loyalty_program_pos(d):
    """POS with tenders as rows: cash, card, loyalty points, change (negative) per receipt; the sale lines in the same file ('RecordType')."""
    b = base(377)
    r = rng(377)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        s = lambda rt, de, v: rows.append([o, t.strftime("%Y%m%d%H%M%S"), c, rt, de, f"{v:.2f}"])
        for k, p in enumerate(parts(r, a)):
            s("ITEM", f"Art {k}", p)
        if i % 3 == 0:
            s("TENDER", "Cash", round(a + 10, 2))
            s("TENDER", "Change", -10)
        else:
            s("TENDER", "Card", a)
        s("TAX", "VAT19", round(a * 0.19 / 1.19, 2))
        n += a
    return (
        tab(d, ["ReceiptNo", "Timestamp", "LoyaltyCard", "RecordType", "Description", "Value"], rows, sep="|"),
        T(n, 150),
        None,
    )


@case
def p79_price_with_qty_packs(d):
    """Price per 100 pieces: quantity 250, 'Preis je 100', 'Preiseinheit' 100 (SAP): amount = q*p/100, no total column."""
    b = base(379)
    rows = []
    n = 0
    for i, (c, t, a, o) in enumerate(b.values):
        q_ = 50 * (1 + i % 6)
        rows.append([o[1:], c, t.strftime("%d.%m.%Y"), q_, eu(a), 100, "ST"])
        n += round(q_ * a / 100, 2)
    return tab(d, ["Auftrag", "Kunde", "Datum", "Menge", "Preis", "Preiseinheit", "ME"], rows, sep=";"), T(n, 150), None


@case
def p81_status_ord_danish_plain(d):
    """English names but for 'Ordrestatus' (Afsluttet, Annulleret): the words are not known."""
    b = base(381)
    rows = [[o, t, c, a, "Annulleret" if i % 5 == 0 else "Afsluttet"] for i, (c, t, a, o) in enumerate(b.values)]
    return (
        tab(d, ["order_id", "order_date", "customer_id", "amount", "Ordrestatus"], rows),
        T(sum(x[3] for x in rows if x[4] == "Afsluttet")),
        None,
    )


@case
def p83_ledger_currency_blank_is_home(d):
    """currency_code blank for the home currency, USD else; amount and amount_lcy."""
    b = base(383)
    rows = [
        [o, t, c, round(a * (1.1 if i % 2 else 1), 2), "USD" if i % 2 else "", a]
        for i, (c, t, a, o) in enumerate(b.values)
    ]
    return (
        tab(d, ["document_no", "posting_date", "customer_id", "amount", "currency_code", "amount_lcy"], rows),
        T(b.amt.sum(), 150),
        None,
    )


@case
def p85_purchase_repeated_later(d):
    """The same order_id, amount and customer again some minutes later (reloads of the thank-you page), event log."""
    b = base(385)
    rows = []
    for i, (c, t, a, o) in enumerate(b.values):
        rows.append([t - pd.Timedelta(minutes=4), "view_item", c, "", ""])
        rows.append([t, "purchase", c, o, a])
        if i % 8 == 0:
            rows.append([t + pd.Timedelta(minutes=3 + i % 5), "purchase", c, o, a])
    return tab(d, ["event_time", "event_name", "user_id", "transaction_id", "value"], rows), T(b.amt.sum(), 150), None


@case
def p87_person_and_distinct_flat(d):
    """Plain CSV of events: distinct_id (two per person) and person_id."""
    b = base(387)
    rows = [[t, "purchase", c + ("-a" if i % 2 else "-b"), c, o, a] for i, (c, t, a, o) in enumerate(b.values)]
    return (
        tab(d, ["timestamp", "event", "distinct_id", "person_id", "order_id", "revenue"], rows),
        T(b.amt.sum(), 150),
        None,
    )


@case
def p89_line_total_row_in_words(d):
    """Lines and a 'Celkem'/'Total' row per order in the product column, orders of one line too (then line and total are equal rows)."""
    b = base(389)
    r = rng(389)
    rows = []
    for c, t, a, o in b.values:
        for k, p in enumerate(parts(r, a)):
            rows.append([o, c, t, f"Item {k}", p])
        rows.append([o, c, t, "Order total", a])
    return tab(d, ["order_id", "customer_id", "date", "product", "amount"], rows), T(b.amt.sum(), 150), None
