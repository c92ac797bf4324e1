"""Acquisition economics: where customers came from, what they cost, what they are worth, and when they pay back.

customers = load_new_customers(scored, terms, progress)        origin and value of every customer, read once
spend = read_spend(path)                                       a table of costs by day, week or month and channel
acquisition_report(customers, spend, Question(by=("channel",)))  figures with intervals, fast enough for a slider
"""

from clv_core.strategy.acquisition.customer_origins import NewCustomers as NewCustomers
from clv_core.strategy.acquisition.customer_origins import load_new_customers as load_new_customers
from clv_core.strategy.acquisition.economics import acquisition_report as acquisition_report
from clv_core.strategy.acquisition.question import Acquisition as Acquisition
from clv_core.strategy.acquisition.question import Question as Question
from clv_core.strategy.acquisition.read_spend import read_spend as read_spend
from clv_core.strategy.acquisition.read_spend import read_spends as read_spends
from clv_core.strategy.acquisition.saved_spend import load_spend as load_spend
from clv_core.strategy.acquisition.saved_spend import load_spends as load_spends
from clv_core.strategy.acquisition.saved_spend import remove_spend as remove_spend
from clv_core.strategy.acquisition.saved_spend import save_spend as save_spend
from clv_core.strategy.acquisition.saved_spend import spend_folder as spend_folder
from clv_core.strategy.acquisition.spend import Spend as Spend
from clv_core.strategy.acquisition.spend import SpendSettings as SpendSettings
