"""Of several names that are equally good, which one is better still.

When an order was placed, not when it was paid or sent; what was paid, not what was asked for, and what the buyer paid,
not what the shop received; the order, not one payment of it; what is called by words; who bought, by an id before a
name, and before who receives it.
"""

from __future__ import annotations

from typing import Final

from clv_core.columns import AMOUNT, CATEGORY, EVENT_TIME, ORDER_ID, PRODUCT_ID, QUANTITY, REFUND

PREFERRED: Final[dict[str, str]] = {
    EVENT_TIME: """event_timestamp event_time derived_tstamp created created_at created_date order_date order_time
        ordered_at
        order_creation_date order_creation_time order_purchase_timestamp 注文日時 주문일시
        下单时间 订单创建时间 订单下单时间 买家下单时间 订单提交时间 提交订单时间 订单生成时间 拍下时间 订单时间
        订单成交时间 创建时间 下單時間 創建時間 waktu_pesanan_dibuat วันที่ทำการสั่งซื้อ ngày_đặt_hàng data_zamówienia
        sipariş_tarihi""",
    AMOUNT: """买家实际支付金额 买家实付金额 买家支付金额 买家实付 用户支付金额 用户实付金额 用户实付 顾客实付金额
        客户实付金额
        订单实际支付金额 实际支付金额 实际付款金额 实际支付 订单实付金额 订单实付款 订单实付 实付总金额 实付总额
        商品实际成交金额 商品实付金额 商品实付 实付金额 实付款 实付 paid_amount amount_paid net_amount net_sales
        order_total order_total_amount grand_total 应付金额 订单应付金额 买家应付金额 应付款 订单应付
        订单实际收款金额 订单实收金额 实收金额 实收 应收金额 商家实收金额 商家实收 订单总金额 订单总价 订单总额
        订单金额 买家应付货款 商品总价 商品总金额 商品小计 总金额 请求金额 請求金額 支払金額 お支払い金額 お支払い合計
        お支払合計 支払合計 総合計 合計金額 注文合計
        총_실결제금액 실결제금액 최종결제금액 최종주문금액 총결제금액 최종_상품별_총_주문금액 상품별_총_주문금액
        결제금액 결제액
        총주문금액 주문금액 total_pembayaran จำนวนเงินทั้งหมด tổng_số_tiền_người_mua_thanh_toán tổng_giá_trị_đơn_hàng
        faturalanacak_tutar ödenen_tutar total_paid_real total_paid total_amount_paid price_paid paid_price
        invoice_total total_due order_total_price total_order_price total_value total_amount total_amt total_price
        gross_sales
        purchase_revenue_in_usd event_value_in_usd revenue""",
    ORDER_ID: """order_id id_order order_no order_number increment_id order_increment_id order_reference order_ref
        主订单编号
        主订单号 父订单编号 父订单号 商户订单号 商户单号 订单号 订单编号 订单id 訂單號 訂單編號 注文番号 주문번호
        invoice_no invoice_id
        invoice_number invoice basket_id receipt_id receipt_no order""",
    PRODUCT_ID: "商品id 商品编号 商品编码 상품번호 상품코드",
    QUANTITY: "购买数量 商品数量 数量 成交数量",
    CATEGORY: """category_name product_category_name category_code category product_category item_category""",
    REFUND: "订单已退款金额 订单退款金额 已退款金额 退款金额 商品已退款金额",
}
"""The first of these names is taken, as it stands in the file but for a unit at its end."""

WEAKER_CUSTOMERS: Final = (
    """customer buyer client shopper member user 顾客 客户 买家 会员 用户 username user_name 昵称 买家昵称
    会员昵称 用户昵称 客户昵称 微信昵称 用户名 kunde käufer benutzer acheteur cliente acquirente usuário usuario klant
    koper klient kupujący müşteri клиент покупатель контрагент контакт основной_контакт пользователь สมาชิก ลูกค้า ผู้ซื้อ 顧客
    会員 お客様 購入者 注文者 ユーザー 고객 회원""",
    """email person_email email_client email_acheteur
    purchase_email booker_email customer_email contact_email buyer_email order_customer_email billing_email
    bill_email user_email member_email client_email shopper_email purchaser_email account_email
    bill_mail_address email_address mail_address from_email_address absender_e_mail_adresse
    de_l'adresse_email adresse_email_de_l'expéditeur correo_electrónico_del_remitente indirizzo_email_mittente
    van_e_mailadres e_mailadres emailadres e_mail 邮箱 メールアドレス
    注文者メールアドレス 購入者メールアドレス 이메일 구매자이메일 주문자이메일 email_pembeli email_клиента
    email_покупателя email_kupującego e_posta eposta email_do_cliente e_mail_do_cliente email_cliente correo
    correo_electrónico correo_electronico email_klienta email_pelanggan อีเมล อีเมลลูกค้า email_khách_hàng
    买家支付宝账号""",
    """customer_phone customer_phone_number customer_mobile customer_mobile_number buyer_phone buyer_phone_number
    buyer_mobile телефон_покупателя телефон_клиента no_telp_pembeli telefone_do_cliente teléfono_del_cliente
    رقم_الجوال 手机号 买家手机号 买家手机 买家电话 会员手机 会员手机号 客户手机 客户手机号 客户电话 下单手机号
    下单人手机
    下单人手机号 下单人电话 구매자연락처 구매자전화번호 주문자연락처 주문자휴대전화 no_hp nomor_hp no_telepon
    เบอร์โทร เบอร์โทรศัพท์ เบอร์มือถือ số_điện_thoại""",
    """اسم_العميل 注文者名 購入者名 구매자명 주문자명 구매자 주문자 买家姓名 客户姓名 会员姓名 下单人 下单人姓名
    comprador alıcı consumer_name nom_du_client
    nama_pelanggan nama_pembeli ชื่อลูกค้า ชื่อผู้ซื้อ tên_khách_hàng""",
    """手机 手机号码 联系手机 联系电话 收货人手机 收货人手机号 收货人手机号码 收货人电话 收件人手机 收件人手机号
    收件人电话 收货手机""",
)
"""Names of columns that say who bought less surely than an id does, and each line less than the one before it: what may
be a name or an id, an e-mail, a phone, a person's name, and the phone of who receives it."""
