"""How months, and the words beside them in dates, are called in other languages than English."""

from __future__ import annotations

from typing import Final

MONTHS: Final = {
    "Jan": r"""januar jänner jän januari januarie janvier janv enero ene gennaio gen janeiro января январь янв
        มกราคม ม\.ค styczeń stycznia sty ocak oca leden ledna január januára ján tammikuuta tammikuu tammik січень
        січня січ ianuarie ian ιανουαρίου ιανουάριος ιαν يناير януари яну jaanuar led tammi""",
    "Feb": r"""februar februari februarie février fevrier fév févr febrero febbraio fevereiro fev февраля февраль
        фев февр กุมภาพันธ์ ก\.พ luty lutego lut şubat şub únor února úno február februára febr helmikuuta helmikuu
        helmik лютий лютого лют φεβρουαρίου φεβρουάριος φεβ فبراير февруари peb pebruari helmi""",
    "Mar": r"""märz mac maerz mär mrz mars marzo março marco maart mrt марта март мар มีนาคม มี\.ค marzec marca
        mart březen března bře marec március márc marts maaliskuuta maaliskuu maalisk березень березня берез бер
        martie μαρτίου μάρτιος μαρ مارس maret maalis""",
    "Apr": r"""april avril avr abril abr aprile апреля апрель апр เมษายน เม\.ย kwiecień kwietnia kwi nisan nis
        duben dubna dub apríl apríla április ápr huhtikuuta huhtikuu huhtik квітень квітня квіт кві aprilie απριλίου
        απρίλιος απρ أبريل ابريل إبريل април huhti""",
    "May": r"""mai mayo maggio mag maio mei мая май พฤษภาคม พ\.ค maj maja mayıs květen května kvě máj mája május
        toukokuuta toukokuu toukok травень травня трав тра μαΐου μαΐος μάιος μάι μαΐ مايو touko""",
    "Jun": r"""juni juin junio giugno giu junho июня июнь июн มิถุนายน มิ\.ย czerwiec czerwca cze haziran haz
        červen června čvn jún júna június kesäkuuta kesäkuu kesäk червень червня черв чер iunie iun ιουνίου ιούνιος
        ιουν ιούν يونيو юни kesä""",
    "Jul": r"""juli juillet juil julio luglio lug julho июля июль июл กรกฎาคม ก\.ค lipiec lipca lip temmuz tem
        červenec července čvc júl júla július heinäkuuta heinäkuu heinäk липень липня лип iulie iul ιουλίου ιούλιος
        ιουλ ιούλ يوليو юли heinä""",
    "Aug": r"""august août aout agosto ago augustus августа август авг สิงหาคม ส\.ค sierpień sierpnia sie ağustos
        ağu srpen srpna srp augusta augusztus augusti elokuuta elokuu elok серпень серпня серп сер αυγούστου
        αύγουστος αυγ αύγ أغسطس اغسطس agustus agu agt avgust ogos ogo elo""",
    "Sep": r"""september septembre sept septiembre setiembre settembre setembro set сентября сентябрь сен сент
        กันยายน ก\.ย wrzesień września wrz eylül eyl září zář septembra szeptember szept syyskuuta syyskuu syysk
        вересень вересня верес вер septembrie σεπτεμβρίου σεπτέμβριος σεπ سبتمبر септември syys""",
    "Oct": r"""oktober okt octobre octubre ottobre ott outubro out октября октябрь окт ตุลาคม ต\.ค październik
        października paź ekim eki říjen října říj október októbra lokakuuta lokakuu lokak жовтень жовтня жовт жов
        octombrie oct οκτωβρίου οκτώβριος οκτ أكتوبر اكتوبر октомври loka""",
    "Nov": r"""november novembre noviembre novembro ноября ноябрь ноя нояб พฤศจิกายน พ\.ย listopad listopada lis
        kasım kas listopadu novembra marraskuuta marraskuu marrask листопад листопада лист лис noiembrie noi
        νοεμβρίου νοέμβριος νοε νοέ نوفمبر ноември marras""",
    "Dec": r"""dezember dez décembre decembre déc diciembre dic dicembre dezembro december декабря декабрь дек
        ธันวาคม ธ\.ค grudzień grudnia gru aralık ara prosinec prosince pro decembra joulukuuta joulukuu jouluk
        грудень грудня груд гру decembrie δεκεμβρίου δεκέμβριος δεκ ديسمبر декември desember des joulu dis disember""",
}
"""English abbreviation -> other names, in lower case, without the dot behind an abbreviation.

Croatian ones are left out: listopada is October there and November in Polish."""
AT: Final = r"às|as|a las|à|um|at|@|klo|kl\.?|в|о|o|godz\.?|saat|pukul|lúc|alle|ore|om"
"""What stands between a date and its time of day."""
