"""What shops call the states of their orders: which words say that nobody paid, that all was paid back, or a sale.

Words are compared after :func:`~clv_core.collection.words.aliases.fold`; a blank within one is written as ``_`` here.
"""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.words.aliases import fold
from clv_core.collection.words.aliases_arabic import STATES_ARABIC
from clv_core.collection.words.flag_words import CANCELLED as CANCELLED
from clv_core.collection.words.flag_words import REFUNDED as REFUNDED
from clv_core.collection.words.flag_words import SOLD as SOLD
from clv_core.collection.words.kind_words import KIND_COLUMNS, KIND_STATES
from clv_core.collection.words.state_words_asian import AFTER_SALE_ASIAN, STATES_ASIAN

MEANINGS: Final = (SOLD, CANCELLED, REFUNDED)

STATES: Final[dict[str, str]] = {
    CANCELLED: """test sandbox
        cancel cancelled canceled cancelling order_cancelled order_canceled void voided failed failure
        declined rejected expired pending pending_payment payment_pending payment_failed payment_error
        payment_declined payment_canceled payment_cancelled unpaid not_paid on_hold draft checkout_draft abandoned
        trash deleted incomplete incomplete_expired unavailable requires_capture uncaptured
        requires_payment_method requires_action holded
        blocked error unsuccessful denied reversed canceled_reversal removed quotation quotation_sent quote
        quote_sent proforma proforma_sent new_unpaid fraud fraudulent suspected_fraud payment_review
        canceled_unpaid cart in_cart skipped fail timeout timed_out uncollectible storniert stornierung storno
        abgebrochen abgelehnt fehlgeschlagen unbezahlt
        nicht_bezahlt offen_unbezahlt zahlung_ausstehend ausstehend wartet_auf_zahlung warten_auf_zahlung
        zahlung_fehlgeschlagen angebot annulé annulée annule annulee échouée en_attente en_attente_de_paiement
        en_attente_du_paiement non_payé impayé paiement_refusé erreur_de_paiement refusé refusée cancelado
        cancelada anulado anulada pendiente pendiente_de_pago fallido fallida rechazado rechazada no_pagado
        error_en_pago error_de_pago pago_rechazado en_espera_de_pago esperando_pago annullato annullata in_attesa
        in_attesa_di_pagamento fallito non_pagato pagamento_fallito pendente pagamento_pendente
        aguardando_pagamento não_pago nao_pago não_aprovado nao_aprovado pagamento_recusado recusado recusada
        expirado expirada anulowane anulowano anulowana anulowany nieopłacone nieoplacone nieopłacony
        oczekuje_na_płatność oczekuje_na_platnosc oczekiwanie_na_płatność czeka_na_wpłatę tedarik_edilemedi
        nie_zapłacono odrzucone odrzucony szkic iptal iptal_edildi iptal_edilmiş ödeme_bekliyor ödeme_bekleniyor
        odeme_bekliyor ödenmedi reddedildi başarısız taslak geannuleerd geannuleerde wacht_op_betaling
        in_afwachting_van_betaling in_afwachting niet_betaald onbetaald betaling_mislukt mislukt afgewezen
        verlopen concept отменён отменен отменено отменена отменённый отмена отменён_покупателем отменён_продавцом
        аннулирован не_оплачен не_оплачено неоплачен ожидает_оплаты ожидается_оплата ожидание_оплаты отклонён
        отклонен просрочен черновик удалён удален ошибка_оплаты 취소 취소완료 취소처리 주문취소 결제취소 미결제
        미결제취소 미입금 미입금취소 입금대기 입금전 결제대기 결제실패 결제전 주문실패 キャンセル キャンセル済み
        キャンセル済 注文キャンセル 取消 取消済み 未入金 入金待ち 支払い待ち 支払待ち 未払い 未決済 決済待ち
        決済エラー 決済失敗 与信ng 無効 保留 已删除 删除 交易关闭 关闭 已关闭 已取消 取消 订单取消 交易取消
        取消交易 待付款 等待付款 等待买家付款 未付款 未支付 待支付 支付失败 付款失败 交易失败 失败 无效 已作废
        作废 拼单失败 拼团失败 待成团 交易關閉 已取消 待付款 未付款 取消訂單 不成立""",
    REFUNDED: """refunded fully_refunded refund returned order_refunded order_returned package_returned
        item_returned refund_completed return_completed refund_complete return_complete refund_issued
        refund_processed fully_returned charged_back chargeback return_to_sender returned_to_sender
        returned_to_seller shipped_returned_to_seller shipped_returning_to_seller shipped_rejected_by_buyer
        refund_approved wiedergutschrift retoure retourniert erstattet zurückerstattet zurückgesendet
        rückerstattet zurückgegeben remboursé remboursée retourné retournée reembolsado reembolsada reintegrado
        reintegrada devuelto
        devuelta rimborsato rimborsata reso restituito devolvido devolvida estornado estornada reembolso_concluído
        zwrócone zwrócono zwrot zwrot_przyjęty zwrot_pieniędzy iade iade_edildi iade_tamamlandı geretourneerd
        retour retour_ontvangen terugbetaald gerestitueerd возврат возвращён возвращен возвращено возвращена
        деньги_возвращены возврат_средств возврат_оформлен 반품 반품완료 환불 환불완료 返品 返品済み 返品済
        返品完了 返金 返金済み 返金済 返金完了 已退款 退款成功 全额退款 退款 已退货 退货 全部退款 退款完成
        退货完成 退货退款成功 退货退款完成 已退貨 已退款""",
    SOLD: """live production
        ok paid authorized authorised partially_paid partially_refunded partial_refund part_refunded complete
        completed processing processed processing_in_progress preparation_in_progress shipped
        shipped_delivered_to_buyer shipped_picked_up shipped_out_for_delivery partially_shipped
        partially_delivered delivered fulfilled partially_fulfilled success succeeded successful captured settled
        approved invoiced created abierta recibido archivada
        confirmed accepted placed open closed finished received dispatched
        payment_accepted payment_received remote_payment_accepted payment_confirmed awaiting_fulfillment
        awaiting_shipment awaiting_pickup awaiting_fulfilment awaiting_dispatch awaiting_collection sale
        sales_order sale_order locked done ready_to_ship to_ship to_receive packed picking in_transit
        out_for_delivery picked_up ready ready_for_pickup active sent resolved manual_verification_required
        shipping on_backorder_paid bezahlt erfolgreich abgeschlossen versendet versandt verschickt geliefert zugestellt
        ausgeliefert kommissioniert verpackt in_bearbeitung teilweise_erstattet teilweise_versendet versandfertig
        versandbereit bestätigt erledigt komplett_bezahlt teilweise_bezahlt komplett_abgeschlossen
        teilweise_abgeschlossen komplett_ausgeliefert teilweise_ausgeliefert zur_lieferung_bereit
        in_bearbeitung_wartet payé payée expédié expédiée livré livrée terminé terminée paiement_accepté
        en_cours_de_préparation en_cours_de_livraison validée confirmée partiellement_remboursé pagado pagada
        enviado enviada entregado entregada completado completada pago_aceptado en_preparación
        preparación_en_curso en_camino confirmado confirmada etiqueta_lista_para_imprimir listo_para_enviar pagato
        pagata spedito spedita consegnato consegnata completato completata pagamento_accettato in_lavorazione pago
        paga pagamento_aprovado aprovado aprovada faturado faturada preparando_entrega pronto_para_o_manuseio
        pronto_para_envio aberto arquivado parcialmente_reembolsado entregue concluído concluido concluída
        em_transporte em_separação em_preparação opłacone
        oplacone opłacony wysłane wyslane wysłany dostarczone dostarczony zrealizowane zakończone w_realizacji
        nowe nowe_zamówienie spakowane do_wysłania gotowe_do_wysłania tamamlandı yeni yola_çıktı teslim_edildi
        kargoya_verildi kargolandı gönderildi hazırlanıyor onaylandı paketlendi ödendi voltooid afgerond verzonden
        geleverd
        bezorgd betaald in_behandeling verwerkt afgeleverd доставлен доставлено доставлена выполнен выполнено
        завершён завершен завершено оплачен оплачено оплачена отправлен отправлено получен получено собран
        собирается в_обработке обработан выдан выдано выдана передан_на_доставку на_доставке упакован доставляется
        в_пути передан_в_доставку передано_в_доставку
        ожидает_отгрузки ожидает_сборки готов_к_выдаче вручён вручен подтверждён 결제완료 배송완료 배송중 배송준비
        배송준비중 배송대기 상품준비중 상품준비 발송대기 구매확정 구매완료 입금완료 주문완료 주문확정 신규주문
        발주확인 출고완료 거래완료 교환완료 교환 発送済み 発送済 発送準備中 発送待ち 発送完了 出荷済み 出荷済
        出荷準備中 出荷待ち 配送済み 配達完了 配達済み 注文確定 注文確認 受注 受注確定 入金済み 入金済 支払い済み
        支払済み 支払済 決済済み 決済完了 完了 処理済み 処理中 取引完了 対応済み 受取済み 新規受付 交換 交易成功
        成功 已完成 完成 已付款 已支付 支付成功 付款成功 已发货 待发货 等待卖家发货 买家已付款 卖家已发货
        等待买家收货
        等待买家确认收货 等待确认收货 等待收货 等待发货 等待出库 待收货 已收货 已签收 待评价 部分退款 出库 已出库
        配送中 已发货_待收货 已成团 拼单成功 运输中 已送达 备货中 運送中 已出貨 交易完成 待出貨 待收貨""",
}

STATE_NAMES: Final = {
    fold(word): state
    for table in (KIND_STATES, STATES_ARABIC, STATES_ASIAN, STATES)
    for state, words in table.items()
    for word in words.split()
}
"""Folded name of a state -> what it says."""
KIND_NAMES: Final = frozenset(fold(word) for word in KIND_COLUMNS.split())

PARTLY: Final = re.compile(
    r"partial|partiel|parcial|parzial|teilweise|częściow|kısmi|частичн|部分|一部|일부", re.IGNORECASE
)
"""What is cancelled or paid back in part is a sale still."""
PHRASES: Final = (
    (REFUNDED, r"(?:退款|退货)(?:成功|完成)|已退款|退貨完成|返金済|返品済|환불완료|반품완료|возвращ[её]н"),
    (REFUNDED, r"^(?:returned|refunded)\b(?!.*(?:request|reject|declin|denied|pending|part|exchang|%|\bno\b))"),
    (REFUNDED, r"\bco[nm] reembolso|\breembolso (?:realizado|finalizado|concluído)|\brefund(?:ed)? (?:succes|complet)"),
    (CANCELLED, r"\b(?:awaiting|waiting for|pending|in attesa d[ei]l?|en attente d[eu]|en espera de(?:l)?|aguardando"
                r"|esperando(?: el)?|warten? auf|wartet auf|wacht op|oczek\w+ na|ожидает|ожидание)\b"
                r".*(?:payment|paiement|pago|pagamento|zahlung|betaling|płatno|wpłat|оплат)"),
    (CANCELLED, r"未付款|未支付|待付款|待支付|已取消|(?:交易|订单|超时)(?:关闭|取消)|^已?关闭"),
    (CANCELLED, r"^(?:order |sale |commande |pedido |venta |venda |compra |ordine |заказ |pesanan )?(?:cancell?ed"
               
        r"|cancelad[oa]|annulée?|annullat[oa]|storniert|geannuleerd|anulowan\w*|iptal|отмен[её]н\w*|dibatalkan)\b"),
    (CANCELLED, r"^payment (?:error|failed|declined|canc)|\bnot (?:yet )?paid\b|\(unpaid\)|zahlungs\w+ .*abgebrochen"),
    (SOLD, r"^(?:买家)?(?:已付款|已发货|已签收|已收货|已完成|交易成功)|^卖家已发货|^\(?(?:paid|bezahlt)\b"),
    (SOLD, r"^(?:delivered|shipped|completed|livrée?|entregad[oa]|geliefert|доставлен)\b"),
)  # fmt: skip
"""What a longer text says that holds one of these; the first that fits counts."""

AFTER_SALE: Final[dict[str, str]] = {
    CANCELLED: "취소완료 취소처리완료 직권취소완료 キャンセル済み キャンセル完了",
    REFUNDED: "success",
    SOLD: """none no refund_rejected return_rejected rejected declined closed cancelled canceled refund_cancelled
        refund_closed request_cancelled refund_requested return_requested requested pending processing in_progress
        open under_review 无 无售后 无退款 未退款 没有退款 售后取消 无售后或售后取消 退款关闭 售后关闭 已关闭 关闭
        已取消 取消 退款中 退款申请中 申请退款 待退款 退货中 待退货 售后中 退款失败 拒绝退款 售后处理中 部分退款
        취소요청 취소철회 반품요청 반품철회 반품거부 수거중 수거완료 교환요청 교환완료 교환철회 교환거부 교환 なし""",
}
"""What the words of a column of refunds say where it is not what they say of an order: a request that was closed,
refused, or only made leaves the sale as it is."""
AFTER_SALE_NAMES: Final = {
    fold(word): state
    for table in (AFTER_SALE_ASIAN, AFTER_SALE)
    for state, words in table.items()
    for word in words.split()
}

UNPAID: Final = """open queued scheduled payment_due past_due overdue offen reminded erinnert gemahnt in_zahlung ouvert
    abierto aperto aberto otwarte"""
"""What is said of a payment that did not come; of an order the same words say that it is not done yet."""
UNPAID_NAMES: Final = {fold(word) for word in UNPAID.split()}

TAKEN: Final = frozenset(map(fold, ("captured", "settled", "capture")))
HELD_NAMES: Final = frozenset(map(fold, ("authorized", "authorised", "authorization", "pre_authorized", "preauth")))
"""What is said of a payment that was only promised, where others of the same column were taken."""
