"""Names that logs use for the canonical columns and event types, in English and Chinese.

Those of other languages, and of Chinese shop systems, stand in the files ``aliases_*`` beside this one.

Names are compared after :func:`fold`: case, blanks and punctuation do not count. A name is either *sure* (it means this
and nothing else) or *likely* (it usually does; a sure one wins).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from clv_core.collection.words.aliases_arabic import CURRENCIES_ARABIC, LIKELY_ARABIC, PRICES_ARABIC, SURE_ARABIC
from clv_core.collection.words.aliases_chinese import LIKELY_CHINESE, SURE_CHINESE
from clv_core.collection.words.aliases_eastern import (
    CURRENCIES_EASTERN,
    EVENTS_EASTERN,
    LIKELY_EASTERN,
    PRICES_EASTERN,
    SURE_EASTERN,
)
from clv_core.collection.words.aliases_european import (
    CURRENCIES_EUROPEAN,
    EVENTS_EUROPEAN,
    LIKELY_EUROPEAN,
    PRICES_EUROPEAN,
    SURE_EUROPEAN,
)
from clv_core.collection.words.aliases_polish_turkish import (
    CURRENCIES_POLISH_TURKISH,
    LIKELY_POLISH_TURKISH,
    PRICES_POLISH_TURKISH,
    SURE_POLISH_TURKISH,
)
from clv_core.collection.words.aliases_southeastern import (
    CURRENCIES_SOUTHEASTERN,
    LIKELY_SOUTHEASTERN,
    PRICES_SOUTHEASTERN,
    SURE_SOUTHEASTERN,
)
from clv_core.collection.words.kind_words import KIND_COLUMNS
from clv_core.collection.words.preferred import PREFERRED, WEAKER_CUSTOMERS
from clv_core.columns import (
    AMOUNT,
    CART,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    RATING_EVENT,
    REFUND,
    RETURN,
    REVIEW,
    REVIEW_TEXT,
    SESSION_ID,
    UNIT_PRICE,
    VIEW,
)

PRICE: Final = "price"
"""Not a canonical column: a name that may mean the price of one piece or of the line (``mapping/money`` decides)."""

CURRENCY: Final = "currency"
"""Not a canonical column: says what the amounts are in."""

SURE: Final[dict[str, str]] = {
    CUSTOMER_ID: """customer_id id_customer id_buyer customer customerid customer_code customer_no customer_number
        customer_key
        cust_no cust_num cust_number cust_nbr customer_nr customer_num sell_to_customer_no kunnr
        cust_id custid cust customer_unique_id buyer_user_id buyer_username buyer_login username_buyer user_pseudo_id
        full_visitor_id client_pseudo_id distinct_id profile_id openid 下单帐号 下单账号 买家账号 买家昵称 会员昵称
        client_id clientid buyer_id buyerid shopper_id user_id userid member_id memberid visitor_id visitorid
        household_id household_key hhid member_no member_number shopper_reference account_id consumer_id purchaser_id
        panelist_id cust_code id_visitor mcvisid ecid post_visid_high_post_visid_low visid_high_visid_low domain_userid
        sold_to_party sold_to account_ref msno 用户id 用户编号 用户 客户id 客户编号
        客户 会员id 会员编号 会员卡号 会员号 会员 顾客id 顾客编号 顾客 买家id 买家 买家会员名 账号 用户账号 用户標識
        用户标识 客戶id 客戶編號 會員id 會員編號 會員 用戶id 用戶編號 顧客id 顧客編號""",
    EVENT_TIME: """event_time eventtime event_timestamp event_date event_datetime timestamp time_stamp ts datetime
        date_time invoice_date invoicedate order_date orderdate order_time order_datetime order_timestamp ordered_at
        order_date_time date_order posting_date
        order_creation_date order_creation_time order_created_date order_created_time
        order_placed_date order_charged_date order_placed_at placed_at booked_on booked_at booking_date created_datetime
        order_purchase_timestamp purchase_date purchase_time transaction_dt
        purchased_at purchase_timestamp transaction_date transaction_time transaction_timestamp transaction_datetime
        trans_date trans_time txn_date txn_time t_dat shop_date server_timestamp trans_date_trans_time sale_date
        sales_date occurred_at happened_at action_time
        behavior_time visit_time 订单提交时间 提交订单时间 买家付款时间 支付完成时间 订单支付时间 下单时间 订单时间
        订单日期 下单日期 付款时间 支付时间 订单付款时间 订单创建时间 购买时间 购买日期 交易时间 交易日期 成交时间
        消费时间 消费日期 行为时间 事件时间 发生时间 时间 日期 时间戳 下單時間 訂單時間 訂單日期 購買時間 購買日期
        交易時間 付款時間 時間""",
    EVENT_TYPE: """event_type eventtype event event_name action action_type activity activity_type behavior
        idgoal_event_type id_goal_event_type goal_id_event_type event_list_event_type post_event_list_event_type
        events_event_type purchaseid_event_type post_purchaseid_event_type products_event_type product_list_event_type
        post_product_list_event_type behavior_type behaviour behaviour_type transaction_type interaction
        interaction_type 行为类型 行为 事件类型
        事件 事件名 事件名称 行为名称 动作 操作 操作类型 用户行为 交易类型 行為類型 行為 事件類型""",
    AMOUNT: """amount amount_total total_amount net_amount order_amount sales_amount transaction_amount
        purchase_amount payment_amount paid_amount amount_paid charged_amount amount_charged total_price total_value
        order_value order_total
        line_total grand_total order_total_amount line_amount total_sales sales sales_value revenue net_revenue
        gross_revenue spend spent purchase_revenue event_value
        dollar_value dollars transaction_revenue item_total subtotal transaction_value purchase_value monetary_value
        payment_value ecommerce_purchase_revenue total_ecommerce_revenue extended_price net_sales 金额 订单金额 消费金额
        支付金额 实付金额 付款金额 交易金额 销售额
        成交金额 订单实付金额 订单应付金额 总金额 总价 实付 实付款 买家实际支付金额 购买金额 应付金额 金額 訂單金額
        消費金額 支付金額 銷售額 總金額 總價""",
    ORDER_ID: """order_id id_order orderid order_no order_number sale_id ticket_no check_no invoice_no invoiceno
        invoice invoice_id invoice_number psp_reference transaction_id transactionid transaction_no trans_id txn_id
        purchase_id post_purchase_id basket_id basketid ecommerce_transaction_id receipt_id receipt_no receipt_number
        bill_no increment_id
        order_increment_id order_reference
        order_ref order_reference_number 订单号 订单编号 订单id 交易号 交易编号 发票号 主订单编号 流水号 单号 訂單號
        訂單編號 訂單id""",
    PRODUCT_ID: """product_id productid product item_id itemid item sku sku_id stock_code stockcode product_code
        item_code lineitem_sku sku_reference_no item_number article_id article asin upc gtin ean goods_id
        product_key prod_code material 商品id 商品编号 商品编码 商品 产品id 产品编号 货号 商品編號 商品代码 产品""",
    CATEGORY: """category category_id category_name category_code product_category product_category_name
        item_category categoryid cat department product_type commodity 类别 品类 类目 商品类别 商品类目 分类
        产品类别 类目id 品类id 商品分类 商品種類 類別 品類 類目""",
    QUANTITY: """quantity qty units pieces item_count number_of_items number_of_cds num_items count_of_items
        order_qty order_quantity lineitem_quantity purchase_quantity 数量 购买数量 件数 商品数量 销量 销售数量 數量
        購買數量 件數""",
    UNIT_PRICE: """unit_price unitprice lineitem_price price_per_unit item_price price_each product_price
        selling_price single_price 单价 商品单价 销售单价 售价 單價 商品單價 售價""",
    DISCOUNT: """discount unit_discount discount_per_unit discount_per_item item_discount discount_amount
        total_discount coupon_amount coupon_discount discount_value rebate
        折扣金额 优惠金额 优惠 优惠券金额 立减 折扣 折扣金額 優惠金額 優惠""",
    RATING: """rating stars star star_rating score review_score overall rate review_rating 评分 星级 打分 评价星级
        評分 星級""",
    REVIEW_TEXT: """review_text review review_body comment comments review_content reviewtext review_comment
        review_comment_message feedback 评论 评价 评论内容 评价内容 评语 評論 評價 評論內容""",
    CHANNEL: """channel source_channel sales_channel sales_channel_id traffic_source utm_source medium utm_medium
        marketing_channel acquisition_channel platform device device_type store store_id 渠道 来源 流量来源 销售渠道
        终端 设备 平台 管道 來源 通路""",
    COUNTRY: """country country_code country_name nation region_country ship_country shipping_country
        billing_country 国家 国家地区 国别 國家 國別""",
    ORDER_STATUS: """order_status order_state financial_status payment_status payment_state pay_status
        order_payment_status order_payment_state transaction_status sale_status state_machine_state
        transactions_state current_state 订单状态 交易状态 付款状态 支付状态
        訂單狀態 付款狀態 交易狀態""",
    REFUND: """order_total_adjusted_order_total refunded_amount amount_refunded refund_amount order_refund_amount
        order_refunded_amount total_refunded_amount total_amount_refunded total_refund_amount refund_amt refunded_amt
        returned_amount amount_returned return_amount credited_amount amount_credited partial_refund refund_total
        total_refund total_refunded refunded_total total_refunds
        refunds_total refund_value 退款金额 已退款金额 订单已退款金额 退款额 退款金額""",
    SESSION_ID: """session_id sessionid session user_session id_visit visit_id visitid 会话id 会话 会话编号 访问id
        會話id""",
    PRICE: "price 价格 價格",
    CURRENCY: """currency gross_currency currency_code currency_iso currency_iso_code order_currency order_currency_code
        币种 货币 货币种类 币别 幣種 貨幣 幣別""",
}

LIKELY: Final[dict[str, str]] = {
    CUSTOMER_ID: """id uid user client buyer shopper member visitor account username user_name client_no email
        reviewer_id consumer_name person_email
        booker_email purchase_email customer_email contact_email buyer_email order_customer_email
        billing_email bill_email user_email member_email client_email shopper_email purchaser_email account_email
        customer_phone customer_phone_number customer_mobile customer_mobile_number buyer_phone buyer_phone_number
        buyer_mobile bill_mail_address email_address mail_address from_email_address loyalty_card loyalty_card_no
        loyalty_card_number loyalty_id loyalty_no loyalty_number membership_id membership_no membership_number
        guest_id guest_no guest_number
        手机号 买家手机号 邮箱""",
    EVENT_TIME: """date time day created created_at created_time created_date date_created create_time createdate
        created_on create_date creation_date date_created_gmt ts_created order_paid_time derived_tstamp collector_tstamp
        paid_on_date date_paid paid_date date_add date_added opened opened_at created_utc date_opened purchased
        week_date order_created_at order_created paid_at payment_date payment_time 创建时间 創建時間""",
    EVENT_TYPE: "type kind line_type metric metric_name 类型 類型",
    AMOUNT: """value total payment paid cost money sum gross amt total_amt tran_amount tran_amt trans_amount
        trans_amt transaction_amt txn_amount order_amt sales_amt sale_amount purchase_amt purchase invoice_amount
        invoice_total bill_amount net_value amount_in_local_currency actual_amount_paid total_paid
        total_paid_real total_amount_paid total_due gross_sales gross_amount
        turnover purchase_revenue_in_usd event_value_in_usd price_paid paid_price order_price order_total_price
        total_order_price total_spent amount_spent
        total_revenue order_revenue tr_total total_purchase purchase_sum final_invoice_amount total_to_pay_amount
        product_subtotal 消费 支付 付款""",
    ORDER_ID: "tr_orderid order transaction receipt basket bill name reference ref 订单 訂單",
    PRODUCT_ID: """product_name lineitem_name item_name item_title custom_label description stock goods title
        商品名称 商品名 商品标题 产品名称 宝贝标题 宝贝名称 选购商品 商品名稱 id_sku sku_name listing_id offer_id""",
    CATEGORY: "class group segment brand section 品牌 部门",
    QUANTITY: "count number pcs amount_of_items qty_ordered quantity_ordered ordered_quantity quantity_sku",
    PRICE: "sales_price sale_price",
    DISCOUNT: "coupon promo promotion",
    REFUND: "refunded refunds refund",
    REVIEW_TEXT: "text message 内容 內容 备注",
    CHANNEL: "source campaign referrer",
    COUNTRY: "region market 地区 地區",
    ORDER_STATUS: """order_line_status line_status item_status order_item_status position_status charge_status
        status state result outcome payment_result transaction_result
        invoice_status 状态 狀態 交易结果 支付结果""",
}

EVENT_ALIASES: Final[dict[str, str]] = {
    VIEW: """view views viewed pv page_view pageview page_viewed product_view view_item view_product detail_view
        item_view view_content content_view click clicks clicked browse browsed visit product_viewed item_viewed
        screen_view product_clicked view_product_detail product_detail_view prod_view af_content_view 浏览 查看 点击
        访问 瀏覽 點擊 浏览商品 商品浏览 查看商品 点击商品 浏览商品详情 浏览商品详情页 商品详情页浏览 浏览页面
        页面浏览""",
    CART: """cart add_to_cart addtocart add_cart cart_add added_to_cart add_to_basket basket add_to_bag added_to_bag
        product_added product_added_to_cart item_added_to_cart add_product_to_cart add_item_to_cart
        abandoned_cart ecommerce_abandoned_cart cart_abandonment abandoned_checkout checkout_abandoned
        add_to_shopping_cart added_product_to_cart af_add_to_cart sc_add 加购 加入购物车 加购物车 购物车 加購 加入購物車
        添加购物车 加购商品 商品加购 加入购物袋""",
    PURCHASE: """purchase purchases purchased buy bought order ordered transaction transactions sale sales sold
        checkout checkout_complete checkout_completed ecommerce_conversion ecommerce_order capture captured
        payment_captured revenue_amount order_complete order_completed completed paid pay
        payment placed_order place_order order_paid pay_order purchase_complete purchase_completed complete_payment
        payment_completed payment_succeeded payment_success order_success af_purchase in_app_purchase 购买 下单 支付
        付款 成交 交易 消费 订单 購買 下單 已付款 支付成功 付款成功 支付完成 交易成功 支付订单 订单支付 购买商品
        购买成功 销售 銷售""",
    RETURN: """return returned returns refund refunded refunds credit credit_note chargeback cancel cancelled
        canceled cancellation order_refunded order_cancelled order_canceled order_returned cancel_order 退货 退款 退单
        取消 退貨 取消订单 退换货 退款成功""",
    RATING_EVENT: "rating rate rated rates star stars 评分 打分 評分",
    REVIEW: "review reviews reviewed comment commented feedback 评论 评价 評論 評價",
}

MISSING: Final = (
    *("", "null", "none", "nan", "n/a", "na", "#n/a", "nil", "undefined"),
    *("(null)", "\\n", "-", "--", "<na>", "nat", "空"),
)
"""Texts that stand for nothing, in lower case, where an id, a time, a number or a type is expected."""


def fold(name: str) -> str:
    """Return ``name`` without what spelling varies by: form, case (that of a Turkish ı too), blanks, punctuation."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", unicodedata.normalize("NFKC", name).strip())
    return re.sub(r"[\W_]+", "", spaced.lower()).replace("ı", "i")


def folded(column: str) -> str:
    """Return SQL that folds a text column as :func:`fold` does, but for its form."""
    return f"replace(regexp_replace(lower({column}), '[\\s\\pP\\pS]+', '', 'g'), 'ı', 'i')"


def _index(*tables: dict[str, str]) -> dict[str, str]:
    return {fold(alias): target for table in tables for target, words in table.items() for alias in words.split()}


SURE_NAMES: Final = _index(
    {PRICE: PRICES_ARABIC, CURRENCY: CURRENCIES_ARABIC},
    SURE_ARABIC,
    {PRICE: PRICES_EASTERN, CURRENCY: CURRENCIES_EASTERN},
    SURE_EASTERN,
    {PRICE: PRICES_EUROPEAN, CURRENCY: CURRENCIES_EUROPEAN},
    SURE_EUROPEAN,
    {PRICE: PRICES_SOUTHEASTERN, CURRENCY: CURRENCIES_SOUTHEASTERN},
    SURE_SOUTHEASTERN,
    {PRICE: PRICES_POLISH_TURKISH, CURRENCY: CURRENCIES_POLISH_TURKISH},
    SURE_POLISH_TURKISH,
    SURE_CHINESE,
    SURE,
)
LIKELY_NAMES: Final = _index(
    {ORDER_STATUS: KIND_COLUMNS},
    LIKELY_ARABIC,
    LIKELY_EASTERN,
    LIKELY_EUROPEAN,
    LIKELY_SOUTHEASTERN,
    LIKELY_POLISH_TURKISH,
    LIKELY_CHINESE,
    LIKELY,
)
PREFERRED_NAMES: Final = {target: tuple(map(fold, words.split())) for target, words in PREFERRED.items()}
CUSTOMER_RANKS: Final = {fold(word): rank for rank, words in enumerate(WEAKER_CUSTOMERS, 1) for word in words.split()}
"""Folded name of a customer's column -> how much less surely it says who bought than an id, which is 0, does."""
TURNED: Final = {
    target: " ".join("_".join(word.split("_")[::-1]) for word in words.split() if word.count("_") == 1)
    for target, words in EVENT_ALIASES.items()
}
EVENT_NAMES: Final = _index(TURNED, EVENTS_EASTERN, EVENTS_EUROPEAN, EVENT_ALIASES)
"""Folded event name -> canonical event type; of two words in either order: Product Viewed, Viewed Product."""
