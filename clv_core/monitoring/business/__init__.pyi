from .business_watch import Course as Course
from .business_watch import Watch as Watch
from .business_watch import business_watch as business_watch
from .business_watch import watch_json as watch_json
from .findings import KINDS as KINDS
from .findings import Finding as Finding
