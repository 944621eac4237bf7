"""Every length, size, count and rate in one place. Forms, models and tests read the same constants.

Lengths are code points after NFC; durations say their unit in their name.
"""

from datetime import timedelta

HANDLE_MIN, HANDLE_MAX = 3, 30
NAME = 60
EMAIL = 254
PRONOUNS = 30
ABOUT = 4_000
TITLE = 120
LINE = 280
NOTE = 1_000
HALF = 2_000
BODY = 8_000
REASON = 500
SLUG = 100
PLACE = 300
URL = 500
UA = 200

SKILL_NAME = 100
SKILL_SUMMARY = 300
SKILL_OTHER_NAMES = 40
FIRST_LEARN = 6
SUGGESTIONS = 8
SKILL_PEOPLE = 12
URI = 300

PASSWORD_MIN, PASSWORD_MAX = 12, 256
LANGUAGES_SPOKEN = 4
LISTS_ROWS, LISTS_ROWS_MAX = 3, 8
NEAR_NAMES = 5

CAPACITY_MIN, CAPACITY_MAX = 1, 500
WAITING_MAX = 200
GROUP_MAX = 50
SESSION_SKILLS = 6
LOG_PEOPLE = 40
LOG_PARTS = 120
WITNESSES = 6
MINUTES_MAX = 24 * 60

SESSION_MIN = timedelta(minutes=5)
SESSION_MAX = timedelta(hours=24)
SESSION_AHEAD = timedelta(days=548)
SESSION_LATE_START = timedelta(minutes=5)
LOG_BACK = timedelta(days=366)
WITHDRAW_ANSWER = timedelta(days=30)
PLACE_SHOWN_BEFORE = timedelta(hours=48)
PLACE_SHOWN_AFTER = timedelta(hours=24)

SEAT_HELD = timedelta(hours=24)
SEAT_HELD_LATE = timedelta(hours=2)
LATE = timedelta(hours=24)

OFFER_LASTS = timedelta(days=120)
WANT_LASTS = timedelta(days=180)

SIGN_IN_IDLE = timedelta(days=14)
SIGN_IN_WHOLE = timedelta(days=30)
SIGN_INS = 20
PROOF_FRESH = timedelta(minutes=30)
RESET_LASTS = timedelta(minutes=60)
SIGN_IN_LINK_LASTS = timedelta(minutes=30)
CONFIRM_LASTS = timedelta(days=3)
ONCE_KEPT = timedelta(days=1)

QUERY = 128
QUERY_TERMS = 12
PAGE_SIZE = 20
PAGES_MAX = 20
PAGES_DEEP = 1_000
COUNT_UP_TO = 1_000

GAP_TERM, GAP_WORDS = 40, 4
GAP_DAYS, GAP_MEMBERS = 3, 3
GAPS_SHOWN = 30
GAPS_BUFFER = 1_000
GAPS_A_DAY = 50
GAP_SHOWN_FOR = timedelta(days=62)
GAP_KEPT = timedelta(days=366)
WAITED_LONG = timedelta(days=30)

SAVED_SEARCHES = 30
FOUND_AT_ONCE = 200
IDS_AT_ONCE = 500
LOOK_AGAIN = timedelta(minutes=2)
FINDS_MAILS_A_DAY = 10
CIVIL_HOUR = 8

FORM_BYTES = 64 * 1024
FORM_KEYS = 1_000
NEXT = 512

LEASE = timedelta(seconds=60)
INDEX_LEASE = timedelta(seconds=5)
MAIL_KEPT_TRYING = timedelta(hours=72)

# Rates: Flask-Limiter's notation, keyed as web/rates.py says.
SIGN_IN_RATE_ACCOUNT = "10 per 5 minutes"
SIGN_IN_RATE_NETWORK = "20 per hour"
MAIL_LINK_RATE_TARGET = "3 per 6 hours"
MAIL_LINK_RATE_NETWORK = "10 per day"
JOIN_RATE_NETWORK = "5 per hour"
SEARCH_RATE = "20 per 4 seconds"
WRITE_RATE = "60 per minute"
