from .document import Report as Report
from .document import Section as Section
from .document import Table as Table
from .html import html_page as html_page
from .make_report import check_endings as check_endings
from .make_report import read_logo as read_logo
from .make_report import write_report as write_report
