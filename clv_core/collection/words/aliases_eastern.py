"""Names of canonical columns in Japanese, Korean, Russian and Portuguese logs, and of refunds in Chinese and others.

Compared as those of :mod:`clv_core.collection.words.aliases` are, sure or likely alike.
"""

from __future__ import annotations

from typing import Final

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
    REFUND,
    REFUND_STATUS,
    RETURN,
    REVIEW_TEXT,
    UNIT_PRICE,
    VIEW,
)

SURE_EASTERN: Final[dict[str, str]] = {
    CUSTOMER_ID: """顧客id 顧客番号 顧客コード 顧客no 会員id 会員番号 会員コード 会員no お客様id お客様番号
        お客様コード ユーザーid ユーザid 購入者id 注文者id 注文者会員番号 고객id 고객번호 고객코드 고객아이디 회원id
        회원번호 회원아이디 구매자id 구매자아이디 주문자id 주문자아이디 사용자id id_клиента клиент_id код_клиента
        номер_клиента идентификатор_клиента id_покупателя покупатель_id id_пользователя id_do_cliente id_cliente
        código_do_cliente codigo_do_cliente cód_cliente número_do_cliente numero_do_cliente código_cliente
        id_del_cliente código_de_cliente codigo_de_cliente número_de_cliente numero_de_cliente nº_cliente
        id_comprador id_usuario nome_de_usuário_comprador nombre_de_usuario_comprador""",
    EVENT_TIME: """注文日 注文日時 注文日付 注文時間 購入日 購入日時 受注日 受注日時 売上日 売上日時 取引日 取引日時
        決済日時 来店日 日時 주문일 주문일시 주문일자 주문시간 주문날짜 구매일 구매일시 구매일자 거래일 거래일시
        거래일자 결제일시 결제일 дата_заказа дата_и_время_заказа время_заказа дата_покупки дата_продажи
        дата_транзакции дата_операции дата_создания_сделки дата_создания_заказа дата_оформления
        дата_поступления_заказа дата_оформления_заказа принят_в_обработку data_do_pedido
        data_pedido data_da_compra data_compra data_da_venda data_venda data_da_transação data_da_transacao
        data_do_pagamento data_de_criação_do_pedido fecha_de_creación_del_pedido fecha_del_pedido fecha_de_compra
        fecha_de_venta fecha_venta fecha_de_la_compra
        fecha_transacción fecha_transaccion fecha_de_creación fecha_de_facturación fecha_y_hora""",
    EVENT_TYPE: """イベント イベント名 イベント種別 行動種別 이벤트 이벤트명 이벤트유형 행동유형 событие тип_события
        название_события evento tipo_de_evento nome_do_evento nombre_del_evento""",
    AMOUNT: """注文金額 合計金額 購入金額 売上金額 請求金額 支払金額 お支払い金額 お支払金額 お支払い合計 お支払合計
        支払合計 支払総額 注文合計
        総合計 売上額 小計 商品合計金額 주문금액 결제금액 총결제금액 총주문금액 구매금액 판매금액 매출금액 매출액
        매출 총금액 합계금액 실결제금액 결제금액합계 최종결제금액 최종주문금액 품목실결제가 결제액 총_실결제금액
        최종_상품별_총_주문금액
        상품별_총_주문금액 상품구매금액 сумма сумма_заказа итоговая_сумма_заказа
        сумма_покупки сумма_продажи сумма_отправления итого
        итоговая_сумма стоимость_заказа сумма_к_оплате сумма_оплаты выручка общая_сумма valor_total valor_total_sku
        valor_total_item valor_do_pedido
        valor_pago valor_da_venda valor_da_compra total_do_pedido total_pago valor_líquido valor_liquido valor_final
        receita faturamento importe_total_pedido total_pedido total_del_pedido importe_pagado total_pagado
        total_venta precio_total valor_total_pedido ingresos_por_productos receita_por_produtos monto_total
        monto_pagado ingresos importe_neto""",
    ORDER_ID: """注文番号 注文id 注文no 受注番号 受注id 伝票番号 取引番号 取引id 購入番号 レシート番号 주문번호
        주문id 주문서번호 거래번호 영수증번호 номер_заказа номер_сделки
        №_заказа id_заказа заказ_id код_заказа номер_чека
        номер_транзакции
        número_do_pedido numero_do_pedido id_do_pedido código_do_pedido codigo_do_pedido nº_do_pedido número_da_nota
        id_da_compra id_del_pedido número_de_pedido numero_de_pedido número_de_orden
        numero_de_orden nº_pedido referencia_pedido código_pedido
        número_de_factura numero_de_factura id_venta nº_de_venta #_de_venta nº_de_venda""",
    PRODUCT_ID: """商品番号 商品コード 商品管理番号 商品no 品番 商品sku 製品番号 製品コード 상품번호 상품코드 상품id
        노출상품id 상품주문sku 제품번호 제품코드 품번 артикул id_товара товар_id код_товара ozon_id sku_товара
        código_do_produto codigo_do_produto id_do_produto cód_produto sku_do_produto id_del_producto
        código_de_producto codigo_de_producto código_del_producto sku_del_producto referencia_producto""",
    CATEGORY: """カテゴリ カテゴリー 商品カテゴリ 商品カテゴリー 商品分類 ジャンル 카테고리 상품카테고리 상품분류
        대분류 категория категория_товара товарная_категория categoria_do_produto categoria_produto
        categoría_del_producto categoría_producto familia_de_producto""",
    QUANTITY: """個数 購入数量 注文数量 注文個数 購入個数 販売数量 点数 수량 주문수량 구매수량 판매수량 상품수량
        구매수 количество кол_во количество_товара колво quantidade qtd qtde quantidade_vendida cantidad_pedida
        cantidad_comprada cantidad_vendida unidades""",
    UNIT_PRICE: """単価 商品単価 販売単価 단가 상품단가 판매단가 판매가 옵션판매가 상품가격 цена_за_единицу
        цена_за_штуку цена_за_шт цена_товара ваша_цена_товара preço_unitário preco_unitario valor_unitário
        valor_unit valor_unit_sku valor_unitario_sku valor_unitario preço_por_unidade precio_por_unidad precio_unidad
        precio_unit""",
    DISCOUNT: """割引 割引額 割引金額 値引 値引き 値引額 値引金額 クーポン利用額 할인 할인금액 할인액 쿠폰할인금액
        скидка сумма_скидки размер_скидки desconto valor_do_desconto importe_descuento importe_del_descuento
        monto_descuento""",
    RATING: "評価 評価点 평점 별점 оценка рейтинг avaliação avaliacao nota_da_avaliação valoración valoracion",
    REVIEW_TEXT: "レビュー レビュー本文 コメント 리뷰 리뷰내용 후기 상품평 отзыв текст_отзыва комментарий",
    CHANNEL: """チャネル チャンネル 販売チャネル 流入元 채널 판매채널 유입경로 канал канал_продаж источник
        canal_de_vendas canal_de_venda canal_de_ventas""",
    COUNTRY: "国 国名 配送先国 국가 배송국가 страна país_de_entrega país_de_envío",
    ORDER_STATUS: """取引区分 伝票区分 売上区分 注文状況 注文ステータス 受注ステータス 受注状況 注文状態
        決済ステータス 支払ステータス 支払状況
        주문상태 주문세부상태 주문처리상태 주문진행상태 결제상태 배송상태 статус_заказа состояние_заказа
        статус_оплаты статус_отправления status_do_pedido status_do_pagamento status_pagamento
        situação_do_pagamento situacao_do_pagamento situação_do_pedido situacao_do_pedido status_pedido
        estado_de_la_orden estado_de_pedido estado_de_la_venta estado_del_pago status_zamówienia status_zamowienia
        sipariş_durumu siparis_durumu orderstatus bestelstatus status_bestelling""",
    REFUND: """商品已退款金额 已退金额 退款总额 返金額 返金金額 払戻額 払い戻し額 환불금액 환불액 총환불금액
        сумма_возврата valor_reembolsado valor_estornado valor_do_reembolso importe_reembolso monto_reembolsado
        importe_devuelto anulaciones_y_reembolsos cancelamentos_e_reembolsos""",
    REFUND_STATUS: """退款状态 售后状态 商品退款状态 订单退款状态 退款退货状态 退款狀態 售後狀態 refund_status
        return_status status_da_devolução_reembolso return_refund_status refund_state return_state after_sale_status
        aftersales_status
        claim_status 返金状況 返金ステータス 返品ステータス 返品状況 클레임상태 환불상태 반품상태 취소반품상태
        статус_возврата status_do_reembolso status_da_devolução estado_del_reembolso estado_de_devolución
        estado_de_la_devolución erstattungsstatus retourenstatus statut_du_remboursement statut_remboursement""",
}

LIKELY_EASTERN: Final[dict[str, str]] = {
    CUSTOMER_ID: """顧客 会員 お客様 購入者 購入者名 注文者 注文者名 ユーザー メールアドレス 注文者メールアドレス
        購入者メールアドレス eメール 고객 회원 구매자 구매자명 주문자 주문자명 이메일 이메일주소 구매자이메일
        주문자이메일 구매자연락처 구매자전화번호 주문자연락처 주문자휴대전화 клиент покупатель
        контрагент контакт основной_контакт пользователь
        email_клиента email_покупателя телефон_покупателя телефон_клиента почта электронная_почта эл_почта comprador
        usuário usuario e_mail
        email_do_cliente e_mail_do_cliente telefone_do_cliente teléfono_del_cliente correo correo_electrónico
        correo_electronico email_cliente dni cpf""",
    EVENT_TIME: """日付 時刻 年月日 登録日時 작성일 등록일시 일시 일자 날짜 дата время дата_создания data_de_criação
        dia""",
    EVENT_TYPE: "種別 유형 тип действие tipo",
    AMOUNT: "合計 売上 оплачено 金額合計 総額 금액 합계 стоимость бюджет бюджет_сделки total_geral valor montante",
    ORDER_ID: "注文 受注 주문 заказ чек venda orden",
    PRODUCT_ID: """商品名 商品 製品名 品名 상품명 상품 제품명 товар название_товара наименование
        наименование_товара номенклатура
        nome_do_produto descrição_do_produto nombre_producto nombre_del_producto""",
    COUNTRY: "지역 регион região",
    ORDER_STATUS: """ステータス 発送状況 対応状況 処理状況 出荷状況 状況 状態 상태 처리상태 статус состояние
        situação situacao durum situación""",
}

EVENTS_EASTERN: Final[dict[str, str]] = {
    VIEW: "閲覧 商品閲覧 ページビュー クリック 조회 상품조회 클릭 просмотр просмотр_товара visualização visualizacao",
    CART: "カート カート追加 カートに追加 장바구니 장바구니담기 корзина добавление_в_корзину carrinho",
    PURCHASE: "購入 注文 購買 売上 판매 구매 주문 결제 구매완료 покупка заказ продажа compra_realizada venda",
    RETURN: "返品 返金 반품 환불 возврат devolução devolucao estorno",
}

PRICES_EASTERN: Final = "価格 販売価格 値段 가격 цена preço preco"
CURRENCIES_EASTERN: Final = "通貨 통화 валюта код_валюты код_валюты_отправления moeda"
