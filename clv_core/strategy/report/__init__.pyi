from .make_report import check_endings as check_endings
from .make_report import read_logo as read_logo
from .make_report import write_report as write_report
