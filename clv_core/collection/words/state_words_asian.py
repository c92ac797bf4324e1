"""What shops of East and Southeast Asia call the states of their orders, beside the words that most of them use.

Written and compared as those of :mod:`clv_core.collection.words.state_words` are.
"""

from __future__ import annotations

from typing import Final

STATES_ASIAN: Final[dict[str, str]] = {
    "cancelled": """超时关闭 超时取消 支付超时 付款超时 已超时 未成团 买家取消 卖家取消 系统取消 用户取消 已撤销
        撤销 已失效 已流失 取引取消 取消取引 キャンセル確定 キャンセル確定待ち 注文取消し 注文取消 取消し 입금전_취소
        입금전취소 배송전취소 배송전_취소 batal
        dibatalkan belum_bayar belum_dibayar menunggu_pembayaran gagal ยกเลิกแล้ว ยกเลิก ยังไม่ชำระ ยังไม่ได้ชำระเงิน
        ที่ยังไม่ชำระ รอชำระเงิน รอการชำระเงิน đã_hủy hủy đã_huỷ huỷ chưa_thanh_toán chờ_thanh_toán
        thanh_toán_thất_bại""",
    "refunded": """全额退款 全额退款成功 退款退货成功 已拒收 拒收 拒收退款 未成团_已退款 dikembalikan
        dana_dikembalikan pengembalian_dana คืนเงินแล้ว คืนสินค้าแล้ว đã_hoàn_tiền hoàn_tiền đã_trả_hàng
        trả_hàng_hoàn_tiền""",
    "sold": """待自提 已自提 待配送 待揽收 已揽收 待取件 待签收 已妥投 部分发货 卖家部分发货 已结算 待使用 已使用
        已核销 部分核销 已确认 已接单 已付款_待发货 已发货_待签收 买家已付款_等待卖家发货 卖家已发货_等待买家确认
        売上 販売 通常 通常取引 配送完了 対応済 未対応 対応中 支払手続き済 支払手続き中 変更確定待ち 楽天処理中
        注文確認待ち 新規注文 selesai
        sedang_dikirim perlu_dikirim telah_dikirim dikirim diproses sudah_dibayar dibayar pesanan_selesai
        tiba_di_tujuan สำเร็จแล้ว สำเร็จ การจัดส่ง กำลังจัดส่ง ที่ต้องจัดส่ง จัดส่งแล้ว ชำระเงินแล้ว ได้รับสินค้าแล้ว
        hoàn_thành đang_giao chờ_lấy_hàng đã_giao đã_thanh_toán đang_vận_chuyển chờ_xác_nhận giao_hàng_thành_công""",
}

AFTER_SALE_ASIAN: Final[dict[str, str]] = {
    "refunded": """request_approved refund_paid refund_accepted 售后成功 已全额退款 全额退款成功
        permintaan_disetujui คำขอได้รับการอนุมัติ yêu_cầu_được_chấp_nhận solicitação_aprovada""",
    "sold": """没有申请退款 未申请退款 无退款申请 买家未申请 部分退款成功 request_rejected request_cancelled
        request_canceled permintaan_dibatalkan permintaan_ditolak คำขอถูกยกเลิก yêu_cầu_bị_hủy yêu_cầu_bị_từ_chối""",
}
"""What the words of a column of refunds say where it is not what they say of an order."""
