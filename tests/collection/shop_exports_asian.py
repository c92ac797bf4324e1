"""The same orders as marketplaces and shop systems of Japan, Korea and Southeast Asia export them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.collection.shop_export_parts import GONE, SKUS, Export, at, by_product, number, returned, state
from tests.collection.shop_exports import CANCELLED, Order

Rows = Iterator[dict[str, object]]
PRICES: Final = (49_000, 12_500, 135_200)
"""In money that has no cents."""
CODES: Final = ("1000", "1001", "1002")


def whole(one: Order) -> int:
    return sum(PRICES[product] * pieces for product, pieces in one.lines)


def off(one: Order) -> int:
    return whole(one) // 10_000 * 1_000 if one.number % 3 == 0 else 0


def paid(one: Order) -> int:
    return whole(one) - off(one)


def line_paid(one: Order, place: int) -> int:
    if place == len(one.lines) - 1:
        return paid(one) - sum(line_paid(one, before) for before in range(place))
    product, pieces = one.lines[place]
    return PRICES[product] * pieces * paid(one) // whole(one)


def sold(one: Order) -> float:
    return 0.0 if one.fate in GONE else paid(one)


def kept(one: Order) -> float:
    lines = range(len(one.lines))
    return 0.0 if one.fate in GONE else sum(line_paid(one, place) for place in lines if not returned(one, place))


def dots(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def shopee(
    names: str, states: tuple[list[str], list[str]], write: Callable[[int], object], refunded: str = ""
) -> Callable[[Order], Rows]:
    """Return the rows of a marketplace that names its columns in many languages, the order's amount in each row.

    Args:
        names: order, state, after-sale, time, product, SKU, price, pieces, line, total, buyer and discount, parted by
            bars.
        states: words for orders that count, and for those that do not.
        write: how an amount is written.
        refunded: word of the after-sale for an order that was delivered and came back; empty where it is cancelled.
    """

    def rows(one: Order) -> Rows:
        live, dead = states
        for _, product, pieces, sku, name, _ in by_product(one):
            price = PRICES[product]
            word = state(one, live, dead, live[0] if refunded else dead[0])
            after = refunded if one.fate == "refunded" else ""
            values = f"24{one.number:08X}", word, after, at(one, "%Y-%m-%d %H:%M"), name, sku, write(price), pieces
            money = write(price * pieces), write(paid(one)), f"buyer{number(one):02}"
            yield dict(zip(names.split("|"), (*values, *money, write(0)), strict=True))

    return rows


def rakuten(one: Order) -> Rows:
    """One row a product, the order's amounts in each."""
    live = ["発送済", "発送待ち", "支払手続き済"]
    for _, product, pieces, sku, name, _ in by_product(one):
        yield {
            **{"注文番号": f"301234-{one.number:010}", "ステータス": state(one, live, ["キャンセル確定"])},
            **{"注文日時": at(one), "注文日": at(one, "%Y-%m-%d"), "商品合計金額": whole(one), "請求金額": paid(one)},
            **{"合計金額": whole(one), "クーポン利用総額": off(one), "注文者姓": "山田", "注文者名": "太郎"},
            **{"注文者メールアドレス": f"u{number(one):02}@pc.example.jp", "商品ID": CODES[product], "商品名": name},
            **{"商品管理番号": sku, "単価": PRICES[product], "個数": pieces},
        }


def base(one: Order) -> Rows:
    """One row a product; how the order stands is said as how it is sent."""
    live, dead = ["対応済", "未対応"], ["キャンセル", "入金待ち"]
    for _, product, pieces, sku, name, _ in by_product(one):
        yield {
            **{"注文ID": f"{one.number:08X}ABC", "注文日時": at(one), "氏(請求先)": "山田", "名(請求先)": "花子"},
            **{"メールアドレス(請求先)": f"u{number(one):02}@ex.jp", "商品ID": CODES[product], "商品名": name},
            **{"価格": PRICES[product], "税率": 10, "数量": pieces, "合計金額": paid(one), "送料": 0},
            **{"発送状況": state(one, live, dead), "商品コード": sku, "割引金額": off(one)},
        }


def cafe24(one: Order) -> Rows:
    """One row a product, with amounts asked for and paid of the order."""
    live, dead = ["배송완료", "배송중"], ["취소완료", "입금전 취소"]
    for place, product, pieces, sku, name, _ in by_product(one):
        yield {
            **{"주문번호": f"20240103-{one.number:07}", "품목별 주문번호": f"20240103-{one.number:07}-{place:02}"},
            **{"주문일시": at(one), "주문자명": "김철수", "주문자ID": f"user{number(one):02}"},
            **{"상품번호": CODES[product], "상품코드": sku, "상품명(한국어 쇼핑몰)": name, "수량": pieces},
            **{"판매가": PRICES[product], "상품구매금액": PRICES[product] * pieces, "총 주문금액": whole(one)},
            **{"총 결제금액": paid(one), "주문상태": state(one, live, dead, "환불완료"), "배송국가": "대한민국"},
        }


def naver(one: Order) -> Rows:
    """One row a product with its own state; the buyer's id is masked, the phone is not."""
    for place, product, pieces, _, name, _ in by_product(one):
        gone, dead = returned(one, place), one.fate == CANCELLED
        word = "취소" if dead else "반품" if gone else ["구매확정", "배송완료"][one.number % 2]
        yield {
            **{"상품주문번호": f"{one.number * 10 + place:016}", "주문번호": f"{one.number:014}", "구매자명": "김*수"},
            **{"구매자ID": f"abc{number(one):02}****", "주문상태": word, "결제일": at(one), "상품번호": CODES[product]},
            **{"상품명": name, "수량": pieces, "상품가격": PRICES[product]},
            **{"최종 상품별 총 주문금액": line_paid(one, place), "구매자연락처": f"010-1234-{number(one):04}"},
            **{"클레임상태": "취소완료" if dead else "반품완료" if gone else "", "주문일시": at(one)},
        }


def coupang(one: Order) -> Rows:
    """One row a product of orders that were not called off: a few Korean letters among many numbers."""
    if one.fate not in GONE:
        for place, product, pieces, _, name, _ in by_product(one):
            yield {
                **{"번호": one.number, "묶음배송번호": 7 * 10**8 + one.number, "주문번호": 9 * 10**12 + one.number},
                **{"주문일": at(one, "%Y-%m-%d %H:%M"), "등록상품명": name, "노출상품ID": CODES[product]},
                **{"결제액": line_paid(one, place), "구매수(수량)": pieces, "옵션판매가(판매단가)": PRICES[product]},
                **{"구매자": "박영희", "구매자전화번호": f"010-2222-{number(one):04}"},
            }


def _buyer(one: Order) -> str:
    return f"buyer{number(one):02}"


ENGLISH = (
    "Order ID|Order Status|Return / Refund Status|Order Creation Date|Product Name|SKU Reference No.|Deal Price"
    "|Quantity|Product Subtotal|Grand Total|Username (Buyer)|Total Discount"
)
INDONESIAN = (
    "No. Pesanan|Status Pesanan|Status Pembatalan/ Pengembalian|Waktu Pesanan Dibuat|Nama Produk|Nomor Referensi SKU"
    "|Harga Setelah Diskon|Jumlah|Total Harga Produk|Total Pembayaran|Username (Pembeli)|Total Diskon"
)
THAI = (
    "หมายเลขคำสั่งซื้อ|สถานะการสั่งซื้อ|สถานะการคืนเงินหรือคืนสินค้า|วันที่ทำการสั่งซื้อ|ชื่อสินค้า"
    "|เลขอ้างอิง SKU (SKU Reference No.)|ราคาขาย|จำนวน|ราคาขายสุทธิ|จำนวนเงินทั้งหมด|ชื่อผู้ใช้ (ผู้ซื้อ)|ส่วนลด"
)
VIETNAMESE = (
    "Mã đơn hàng|Trạng Thái Đơn Hàng|Trạng thái Trả hàng/Hoàn tiền|Ngày đặt hàng|Tên sản phẩm|SKU phân loại hàng"
    "|Giá ưu đãi|Số lượng|Tổng giá bán (sản phẩm)|Tổng giá trị đơn hàng (VND)|Người Mua|Giảm giá"
)
NOTE = "다운로드 받은 파일에는 개인정보가 포함되어 있습니다." + "," * 13 + "\r\n"

_EN = ["Completed", "Shipping", "To ship"], ["Cancelled", "Unpaid"]
_ID = ["Selesai", "Sedang Dikirim"], ["Batal", "Belum Bayar"]
_TH = ["สำเร็จแล้ว", "การจัดส่ง"], ["ยกเลิกแล้ว", "ยังไม่ชำระ"]
_VI = ["Hoàn thành", "Đang giao"], ["Đã hủy", "Chưa thanh toán"]

ASIAN: Final[dict[str, Export]] = {
    "shopee_english": Export(shopee(ENGLISH, _EN, str, "Request Approved"), _buyer, sold, SKUS),
    "shopee_indonesian": Export(shopee(INDONESIAN, _ID, dots), _buyer, sold, SKUS),
    "shopee_rupiah": Export(shopee(INDONESIAN, _ID, lambda value: f"Rp {dots(value)}"), _buyer, sold, SKUS, "IDR"),
    "shopee_thai": Export(shopee(THAI, _TH, str), _buyer, sold, SKUS),
    "shopee_vietnamese": Export(shopee(VIETNAMESE, _VI, dots), _buyer, sold, SKUS, "VND"),
    "rakuten": Export(rakuten, lambda one: f"u{number(one):02}@pc.example.jp", sold, CODES, encoding="cp932"),
    "base": Export(base, lambda one: f"u{number(one):02}@ex.jp", sold, CODES, encoding="cp932"),
    "cafe24": Export(cafe24, lambda one: f"user{number(one):02}", sold, CODES, encoding="cp949"),
    "naver": Export(naver, lambda one: f"010-1234-{number(one):04}", kept, CODES, encoding="utf-8-sig", before=NOTE),
    "coupang": Export(coupang, lambda one: f"010-2222-{number(one):04}", sold, CODES, encoding="cp949"),
}
"""Each system's file: Shopee in four languages, Rakuten, BASE, Cafe24, Naver, Coupang."""
