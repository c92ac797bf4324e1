"""Names of canonical columns in the exports of Chinese shop systems and marketplaces.

They say whose money it is: what the buyer paid, what the platform added, what the shop received. Compared as those of
:mod:`clv_core.collection.words.aliases` are, sure or likely alike.
"""

from __future__ import annotations

from typing import Final

from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    QUANTITY,
    REFUND,
    REFUND_STATUS,
    UNIT_PRICE,
)

SURE_CHINESE: Final[dict[str, str]] = {
    CUSTOMER_ID: """买家旺旺 买家旺旺号 旺旺名 买家uid 买家openid 用户openid 客户openid 买家用户id 买家帐号
        买家用户名 会员名 会员名称 会员账号 用户名 用户昵称 用户帐号 下单用户 下单用户id 下单人id 下单账户 客户昵称
        客户账号 客户帐号 客户代码 买家加密id""",
    EVENT_TIME: """订单下单时间 买家下单时间 订单成交时间 订单生成时间 拼单成功时间 成团时间 拍下时间 订购时间
        交易创建时间 支付日期 付款日期 付款确认时间 开单时间 结账时间 收银时间 销售时间 销售日期 下单付款时间""",
    AMOUNT: """用户支付金额 用户实付金额 用户实付 买家实付金额 买家实付 买家支付金额 顾客实付金额 客户实付金额
        订单实际支付金额
        实际支付金额 实际付款金额 实际支付 订单实付 订单实付款 实付总额 实付总金额 商品实付金额 商品实际成交金额
        商品实付 买家应付金额 买家应付货款 订单应付 应付款 应收金额 实收金额 实收 订单实收金额 订单实际收款金额
        商家实收金额 商家实收 订单总金额 订单总价 订单总额 商品总价 商品总金额 商品小计 小计 合计 合计金额 总计 总额
        消费总额 支付总额 付款总额 成交额 交易额 销售总额 訂單合計 訂單總計 訂單總額 實付金額""",
    ORDER_ID: """商户订单号 商户单号 微信订单号 微信支付单号 支付宝交易号 主订单号 父订单号 父订单编号 母订单号
        平台订单号 线上订单号 线上单号 原始单号 交易订单号 交易单号 小票号 小票编号 销售单号 零售单号 订单流水号
        訂單號碼""",
    PRODUCT_ID: "商品货号 宝贝id 商品数字id 商品貨號",
    QUANTITY: "订购数量 成交数量 下单数量 商品件数 宝贝数量 交易数量 订购件数 销售件数",
    UNIT_PRICE: "商品价格 京东价 成交单价 商品售价 销售价 购买单价 宝贝价格 商品結帳價",
    DISCOUNT: "优惠总金额 优惠总额 订单优惠金额 商品优惠金额 優惠折扣",
    ORDER_STATUS: "订单当前状态 订单支付状态",
    REFUND: "订单退款金额 实退金额 实际退款金额 退款总金额 售后退款金额 已退款 退货金额 退款成功金额 实际退款",
    REFUND_STATUS: "商品售后 商品售后状态 订单售后状态 售后单状态 退货退款状态 售后情况",
}

LIKELY_CHINESE: Final[dict[str, str]] = {
    CUSTOMER_ID: """昵称 买家支付宝账号 买家微信 微信号 微信昵称 手机 手机号码 会员手机 会员手机号 客户手机
        客户手机号 客户电话 买家手机 买家电话 下单手机号 下单人手机 下单人手机号 下单人电话 联系手机 联系电话
        收货人手机 收货人手机号 收货人手机号码 收货人电话 收件人手机 收件人手机号 收件人电话 收货手机 买家姓名
        客户姓名 会员姓名 下单人姓名 下单人 電郵 对方账户 对方账号""",
    AMOUNT: "结算金额 商品金额 货款 货款金额",
    ORDER_ID: "单据编号 单据号",
    PRODUCT_ID: "商家编码 sku编码 规格编码 商品条码 条码",
    QUANTITY: "宝贝总数量 商品总数量 商品总件数 总件数 总数量",
    CATEGORY: "一级类目 商品一级类目 宝贝类目",
}
