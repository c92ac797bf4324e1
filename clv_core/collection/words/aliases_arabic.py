"""Names of canonical columns in Arabic logs, and what their shops call the states of their orders.

Compared as those of :mod:`clv_core.collection.words.aliases` are, sure or likely alike.
"""

from __future__ import annotations

from typing import Final

from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    COUNTRY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    QUANTITY,
    REFUND,
    UNIT_PRICE,
)

SURE_ARABIC: Final[dict[str, str]] = {
    CUSTOMER_ID: "رقم_العميل معرف_العميل كود_العميل رقم_الزبون معرف_المستخدم رقم_المستخدم",
    EVENT_TIME: "تاريخ_الطلب وقت_الطلب تاريخ_الشراء تاريخ_البيع تاريخ_الفاتورة تاريخ_ووقت_الطلب",
    AMOUNT: "إجمالي_الطلب اجمالي_الطلب المبلغ المبلغ_الإجمالي المبلغ_المدفوع قيمة_الطلب الإجمالي الاجمالي",
    ORDER_ID: "رقم_الطلب معرف_الطلب رقم_الفاتورة",
    PRODUCT_ID: "رقم_المنتج رمز_المنتج كود_المنتج معرف_المنتج",
    CATEGORY: "تصنيف_المنتج التصنيف الفئة القسم",
    QUANTITY: "الكمية",
    UNIT_PRICE: "سعر_الوحدة سعر_المنتج",
    DISCOUNT: "الخصم قيمة_الخصم مبلغ_الخصم",
    COUNTRY: "الدولة البلد",
    ORDER_STATUS: "حالة_الطلب حالة_الدفع",
    REFUND: "المبلغ_المسترجع المبلغ_المسترد",
}

LIKELY_ARABIC: Final[dict[str, str]] = {
    CUSTOMER_ID: "العميل الزبون المشتري اسم_العميل البريد_الإلكتروني رقم_الجوال رقم_الهاتف",
    EVENT_TIME: "التاريخ",
    AMOUNT: "القيمة المجموع",
    PRODUCT_ID: "المنتج اسم_المنتج",
    ORDER_STATUS: "الحالة",
}

PRICES_ARABIC: Final = "السعر"
CURRENCIES_ARABIC: Final = "العملة"

STATES_ARABIC: Final[dict[str, str]] = {
    "cancelled": """ملغي ملغى ملغية ملغاة تم_الإلغاء تم_الالغاء بانتظار_الدفع بإنتظار_الدفع في_انتظار_الدفع غير_مدفوع
        فشل_الدفع مرفوض محذوف""",
    "refunded": "مسترجع مسترد مرتجع تم_الاسترجاع تم_الإرجاع تم_استرجاع_المبلغ تم_رد_المبلغ",
    "sold": """تم_التوصيل تم_التنفيذ مكتمل تم_الشحن جاري_التوصيل جاري_الشحن قيد_التنفيذ قيد_التجهيز جديد مدفوع
        بانتظار_المراجعة بإنتظار_المراجعة تم_الدفع مسترجع_جزئيا""",
}
