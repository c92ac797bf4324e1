"""What logs of behaviour call the steps of an order, or of its return, where several are events with its amount."""

from __future__ import annotations

from typing import Final

PAID_STEPS: Final = """paid pay payment order_paid pay_order complete_payment payment_completed payment_succeeded
    payment_success 支付 付款 已付款 支付成功 付款成功 支付完成 支付订单 订单支付 refund refunded refunds order_refunded
    退款 退款成功"""
"""The money has come in, or gone back."""
CANCELLED_STEPS: Final = """cancel cancelled canceled cancellation order_cancelled order_canceled cancel_order
    取消 取消订单"""
"""It is given up, before it was paid or after."""
PLACED_STEPS: Final = f"""order ordered order_placed placed_order place_order checkout checkout_complete
    checkout_completed 下单 下單 订单 {CANCELLED_STEPS}"""
"""No money may ever have come in."""
