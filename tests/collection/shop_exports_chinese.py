"""The same orders as Chinese marketplaces and shop systems export them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.collection.shop_export_parts import (
    GONE,
    NAMES,
    SKUS,
    Export,
    at,
    back,
    by_product,
    left,
    line,
    line_back,
    line_paid,
    lines_kept,
    lines_left,
    number,
    off,
    paid,
    returned,
    sold,
    state,
)
from tests.collection.shop_exports import CANCELLED, Order

Rows = Iterator[dict[str, object]]


def nick(one: Order) -> str:
    return f"tb_{number(one):02}买家"


def phone(one: Order) -> str:
    return f"1380013{number(one):04}"


def tmall_items(one: Order) -> Rows:
    """One row a product with its own state, and words where nothing was asked back."""
    dead = one.fate == CANCELLED
    for place, product, pieces, sku, name, price in by_product(one):
        lost = line_back(one, place)
        yield {
            "子订单编号": f"{44 * 10**14 + one.number * 10 + place}",
            "主订单编号": f"{33 * 10**14 + one.number}",
            **{"买家会员名": nick(one), "商品标题": name, "商品价格": price, "购买数量": pieces},
            **{"外部系统编号": "", "订单状态": state(one, ["交易成功"], ["交易关闭"]), "商家编码": sku},
            **{"买家应付货款": line_paid(one, place), "买家实际支付金额": 0 if dead else line_paid(one, place)},
            **{"退款状态": "退款成功" if lost else "没有申请退款", "退款金额": lost or "无退款申请"},
            **{"订单创建时间": at(one), "订单付款时间": "" if dead else at(one), "商品ID": 600_000 + product},
        }


def jd(one: Order) -> Rows:
    """One row a product, the order's amounts in each; an order deleted before it was sent was called off."""
    live, dead = ["完成", "等待确认收货", "等待出库", "(删除)完成"], ["(删除)等待付款", "(删除)等待出库"]
    for _, product, pieces, sku, name, price in by_product(one):
        yield {
            **{"订单号": 2 * 10**11 + one.number, "商品ID": 10**7 + product, "商品名称": name, "订购数量": pieces},
            **{"支付方式": "在线支付", "下单时间": at(one), "京东价": price, "订单金额": one.total},
            **{"结算金额": paid(one), "余额支付": 0, "应付金额": paid(one), "订单状态": state(one, live, dead)},
            **{"下单帐号": f"jd_{number(one):02}xyz", "客户姓名": "王*", "联系电话": "138****0000", "货号": sku},
        }


def pinduoduo(one: Order) -> Rows:
    """One row an order of one product, tabs behind the numbers; what the platform added was not paid."""
    (product, pieces), live = one.lines[0], ["已收货", "已发货，待收货", "待发货", "已发货,待签收"]
    refunded = ["已发货，退款成功", "已取消，退款成功", "已收货"][one.number % 3]
    status = state(one, live, ["已取消", "待支付"], refunded)
    yield {
        **{"商品": NAMES[product], "订单号": f"240103-{one.number:015}\t", "订单状态": status},
        **{"商品总价(元)": line(one, 0), "邮费(元)": 0, "店铺优惠折扣(元)": 0},
        **{"平台优惠折扣(元)": _added(one), "用户实付金额(元)": round(line(one, 0) - _added(one), 2)},
        **{"商家实收金额(元)": line(one, 0), "商品数量(件)": pieces, "收货人": "王小二", "手机": phone(one) + "\t"},
        **{"支付时间": "" if one.fate == CANCELLED else at(one), "订单成交时间": at(one)},
        **{"商品id": f"{75 * 10**10 + product}\t", "售后状态": state(one, ["无售后或售后取消"], [""], "退款成功")},
    }


def _added(one: Order) -> int:
    return 3 if one.number % 4 == 0 else 0


def pinduoduo_paid(one: Order) -> float:
    return 0.0 if one.fate in GONE else round(line(one, 0) - _added(one), 2)


def douyin(one: Order) -> Rows:
    """One row a product, with tabs behind ids and times; only the state of the after-sale tells what came back."""
    for place, product, pieces, sku, name, price in by_product(one):
        after = ["退款成功", "已全额退款"][place % 2] if returned(one, place) else "售后关闭" if place else "-"
        yield {
            **{
                "主订单编号": f"{69 * 10**17 + one.number}\t",
                "子订单编号": f"{69 * 10**18 + one.number * 9 + place}\t",
            },
            **{"选购商品": name, "商品数量": pieces, "商品ID": f"{34 * 10**17 + product}\t", "商家编码": sku},
            **{"商品单价": price, "订单应付金额": f"{line_paid(one, place):,.2f}", "运费": "0.00"},
            **{"平台优惠": "0.00", "商家优惠": f"{line(one, place) - line_paid(one, place):.2f}"},
            **{"收件人": "王小二", "收件人手机号": phone(one), "订单提交时间": at(one) + "\t", "订单完成时间": ""},
            **{"支付完成时间": "" if one.fate == CANCELLED else at(one) + "\t", "达人ID": "0"},
            **{"订单状态": state(one, ["已完成", "已发货"], ["已关闭"]), "售后状态": after},
        }


def youzan(one: Order) -> Rows:
    """One row a product; amounts and refunds are told of the product and of the order, the latter in each row."""
    whole = round(sum(line_back(one, place) for place in range(len(one.lines))), 2)
    for place, product, pieces, sku, name, price in by_product(one):
        lost = line_back(one, place)
        yield {
            **{
                "订单号": f"E2024{one.number:016}\t",
                "订单状态": state(one, ["交易完成", "已发货"], ["交易关闭", "待付款"]),
            },
            **{"下单时间": at(one), "买家付款时间": at(one), "买家姓名": "王小二", "买家手机号": phone(one)},
            **{"商品名称": name, "商品ID": 3300 + product, "规格编码": sku, "商品单价": price, "商品数量": pieces},
            **{"商品实际成交金额": line_paid(one, place), "订单实付金额": paid(one), "订单应付金额": paid(one)},
            **{"商品退款状态": "退款成功" if lost else "", "商品已退款金额": lost, "订单已退款金额": whole},
        }


def wechat_shop(one: Order) -> Rows:
    """One row a product; what was paid is told of the order, what came back of each product."""
    for place, product, pieces, sku, name, price in by_product(one):
        lost = line_back(one, place)
        yield {
            **{"订单号": f"\t{37 * 10**17 + one.number}", "订单下单时间": at(one, "%Y/%m/%d %H:%M")},
            **{"订单状态": state(one, ["已完成", "待发货", "待收货"], ["已取消"]), "商品名称": name},
            **{
                "商品编码(平台)": 10**6 + product,
                "SKU编码(自定义)": sku,
                "商品价格": f"¥{price:,.2f}",
                "商品数量": pieces,
            },
            **{"商品总价": f"¥{line(one, place):,.2f}", "优惠金额": f"¥{off(one):,.2f}", "运费": "¥0.00"},
            **{"订单实际支付金额": f"¥{paid(one):,.2f}", "订单实际收款金额": f"¥{paid(one):,.2f}"},
            **{"用户openid": f"oABC{number(one):022}", "收件人姓名": "王*", "收件人手机": "138****0000"},
            **{"商品售后": "退款完成" if lost else "", "商品已退款金额": f"¥{lost:.2f}" if lost else ""},
        }


def kuaishou(one: Order) -> Rows:
    """One row an order, with an id and a nickname of the buyer."""
    dead = ["交易关闭", "待付款"]
    yield {
        **{"订单编号": f"{24 * 10**14 + one.number}\t", "订单创建时间": at(one), "订单支付时间": at(one)},
        **{"订单状态": state(one, ["交易成功", "已发货", "已收货"], dead), "实付款": f"¥{paid(one):,.2f}"},
        **{"快递费": "¥0.00", "商品ID": "2300\t", "商品名称": "-", "买家ID": f"{3 * 10**9 + number(one)}\t"},
        **{"买家昵称": nick(one), "售后状态": "售后成功" if back(one) else "无售后", "退款金额": f"¥{back(one):.2f}"},
    }


def wholesale(one: Order) -> Rows:
    """One row a product; who bought, when and for how much stands in the order's first row only."""
    for place, _, pieces, sku, name, price in by_product(one):
        first = {
            **{"订单编号": 17 * 10**17 + one.number, "买家会员名": nick(one), "卖家会员名": "yiwu"},
            **{"货品总价(元)": one.total, "涨价或折扣(元)": -off(one), "实付款(元)": paid(one)},
            **{"订单状态": state(one, ["交易成功", "等待买家收货"], ["交易关闭"]), "订单创建时间": at(one)},
        }
        blank = dict.fromkeys(first, "") | {"订单编号": 17 * 10**17 + one.number}
        yield {**(blank if place else first), "货品标题": name, "单价(元)": price, "数量": pieces, "货号": sku}


CHINESE: Final[dict[str, Export]] = {
    "tmall_items": Export(tmall_items, nick, lines_left, [f"{600_000 + at}" for at in range(3)], encoding="gb18030"),
    "jd": Export(jd, lambda one: f"jd_{number(one):02}xyz", sold, ["10000000", "10000001", "10000002"]),
    "pinduoduo": Export(pinduoduo, phone, pinduoduo_paid, currency="CNY", encoding="utf-8-sig"),
    "douyin": Export(douyin, phone, lines_kept, [f"{34 * 10**17 + at}" for at in range(3)], encoding="gb18030"),
    "youzan": Export(youzan, phone, lines_left, ["3300", "3301", "3302"], encoding="gb18030"),
    "wechat_shop": Export(
        wechat_shop, lambda one: f"oABC{number(one):022}", lines_left, ["1000000", "1000001", "1000002"], "CNY"
    ),
    "kuaishou": Export(kuaishou, lambda one: f"{3 * 10**9 + number(one)}", left, currency="CNY"),
    "wholesale": Export(wholesale, nick, sold, SKUS, "CNY", encoding="gb18030"),
}
"""Each system's file: Tmall and Taobao by products, JD, Pinduoduo, Douyin, Youzan, WeChat shops, Kuaishou, 1688."""
