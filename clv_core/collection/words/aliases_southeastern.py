"""Names of canonical columns in Indonesian, Thai and Vietnamese exports.

Compared as those of :mod:`clv_core.collection.words.aliases` are, sure or likely alike.
"""

from __future__ import annotations

from typing import Final

from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CHANNEL,
    COUNTRY,
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

SURE_SOUTHEASTERN: Final[dict[str, str]] = {
    CUSTOMER_ID: """username_pembeli nama_pengguna_pembeli id_pelanggan id_pembeli kode_pelanggan ชื่อผู้ใช้_ผู้ซื้อ
        รหัสลูกค้า รหัสสมาชิก หมายเลขสมาชิก เลขสมาชิก เลขที่สมาชิก kode_member id_member no_member nomor_member
        người_mua tên_người_dùng_người_mua mã_khách_hàng""",
    EVENT_TIME: """waktu_pesanan_dibuat waktu_pembayaran_dilakukan tanggal_pesanan tanggal_order tanggal_transaksi
        tanggal_pembelian tanggal_pembayaran วันที่ทำการสั่งซื้อ วันที่สั่งซื้อ เวลาการชำระสินค้า วันที่ชำระเงิน
        วันที่ขาย วันที่ทำรายการ วันเวลาที่ขาย วันที่ออกใบเสร็จ tanggal_penjualan ngày_bán
        ngày_đặt_hàng thời_gian_đặt_hàng thời_gian_đơn_hàng_được_thanh_toán ngày_mua_hàng ngày_thanh_toán""",
    AMOUNT: """total_pembayaran total_harga_produk total_bayar jumlah_pembayaran total_penjualan nilai_pesanan
        total_pesanan จำนวนเงินทั้งหมด ราคาขายสุทธิ ยอดรวม ยอดชำระ ยอดสั่งซื้อ ยอดสุทธิ ยอดขายสุทธิ
        ยอดรวมสุทธิ ยอดชำระสุทธิ total_belanja total_transaksi nilai_transaksi doanh_thu tổng_số_tiền_người_mua_thanh_toán
        tổng_giá_trị_đơn_hàng tổng_giá_bán tổng_tiền tổng_thanh_toán thành_tiền""",
    ORDER_ID: """no_pesanan nomor_pesanan id_pesanan nomor_invoice no_invoice no_transaksi nomor_transaksi
        หมายเลขคำสั่งซื้อ เลขที่คำสั่งซื้อ เลขที่ใบเสร็จ หมายเลขใบเสร็จ เลขที่บิล เลขที่เอกสาร เลขที่ใบกำกับภาษี
        số_hóa_đơn mã_đơn_hàng số_đơn_hàng mã_hóa_đơn""",
    PRODUCT_ID: """nomor_referensi_sku kode_produk id_produk sku_produk เลขอ้างอิง_sku รหัสสินค้า sku_phân_loại_hàng
        sku_sản_phẩm mã_sản_phẩm""",
    CATEGORY: "kategori หมวดหมู่ danh_mục",
    QUANTITY: "jumlah kuantitas jumlah_barang jumlah_produk_dibeli จำนวน จำนวนสินค้า จำนวนชิ้น số_lượng",
    UNIT_PRICE: "harga_setelah_diskon harga_satuan harga_jual ราคาขาย ราคาต่อหน่วย giá_ưu_đãi đơn_giá giá_bán",
    DISCOUNT: "total_diskon diskon ส่วนลด giảm_giá",
    COUNTRY: "negara ประเทศ quốc_gia",
    CHANNEL: "ช่องทางการขาย ช่องทาง saluran_penjualan kênh_bán_hàng",
    ORDER_STATUS: """status_pesanan status_transaksi status_terakhir status_pembayaran สถานะการสั่งซื้อ สถานะคำสั่งซื้อ
        สถานะการชำระเงิน trạng_thái_đơn_hàng trạng_thái_thanh_toán""",
    REFUND: "jumlah_pengembalian_dana ยอดเงินคืน số_tiền_hoàn số_tiền_hoàn_lại",
    REFUND_STATUS: """status_pembatalan_pengembalian status_pengembalian สถานะการคืนเงินหรือคืนสินค้า
        trạng_thái_trả_hàng_hoàn_tiền""",
}

LIKELY_SOUTHEASTERN: Final[dict[str, str]] = {
    CUSTOMER_ID: """pembeli pelanggan email_pembeli email_pelanggan nama_pelanggan nama_pembeli no_hp nomor_hp
        no_telepon no_telp_pembeli ลูกค้า ผู้ซื้อ สมาชิก อีเมล อีเมลลูกค้า ชื่อลูกค้า ชื่อผู้ซื้อ เบอร์โทร เบอร์โทรศัพท์ เบอร์มือถือ
        khách_hàng
        tên_khách_hàng email_khách_hàng số_điện_thoại""",
    EVENT_TIME: "tanggal waktu วันที่ ngày thời_gian",
    AMOUNT: "total_harga ราคารวม ยอดขาย ยอดเงิน จำนวนเงิน",
    PRODUCT_ID: "nama_produk ชื่อสินค้า สินค้า รายการสินค้า tên_sản_phẩm",
    ORDER_STATUS: "สถานะ trạng_thái",
}

PRICES_SOUTHEASTERN: Final = "harga ราคา giá"
CURRENCIES_SOUTHEASTERN: Final = "mata_uang สกุลเงิน tiền_tệ"
