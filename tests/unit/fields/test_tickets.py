"""Train, air and taxi tickets, and lists of rides. All of them are invented."""

import pytest

from tests.unit.fields.paper import fields_of, values_of

TRAIN = """
Z12A345678                检票:12B
云州南站      G8012      海东站
Yunzhounan               Haidong
2031年05月06日 08:10开   07车12A号
￥238.5元                二等座
限乘当日当次车
1199001900****0028  安可心
买票请到样例平台  仅供报销使用
"""
RAIL = """
Online-Ticket
FAHRKARTE
Auftragsnummer: AB12CD
Reisender: Anna Beispiel
Von: Musterstadt Hbf    Nach: Beispielheim
Abfahrt: 09:12   Gleis 4
Zug: ICE 599   Wagen 7   Sitzplatz: 41
Reisedatum: 03.04.2031
Preis: 39,90 EUR
"""
AIR = """
ELECTRONIC TICKET RECEIPT
Passenger name: DOE/JANE MS
Ticket number: 999-1234567890
Issuing airline: Sample Air
Date of issue: 12 March 2031
From: Sampleton    To: Testville
Flight: XQ 1234   Cabin: Economy
Departure date: 14 April 2031
Departure time: 07:45
Base fare: USD 310.00
Fuel surcharge: USD 25.00
Taxes, fees and charges: USD 41.20
Total: USD 376.20
"""
ITINERARY = """
航空运输电子客票行程单
印刷序号：12345678901
旅客姓名    有效身份证件号码    签注
安可心      119900190001010028  不得签转
承运人  航班号  座位等级  日期        时间
自 云州  样例航  XQ1234  Y  2031年05月06日  08:10
至 海东
票价        民航发展基金  燃油附加费  其他税费  合计
CNY 800.00  CNY 50.00     CNY 60.00   CNY 0.00  CNY 910.00
电子客票号码：9991234567890  验证码：1234
填开单位：云州样例航空服务有限公司  填开日期：2031-05-07
"""
TAXI = """
云州市出租汽车专用发票
发票联
发票代码 111199000001
发票号码 12345678
电话 026-55500177
车号  宁Z-T1234
日期  2031-05-06
上车  10:05
下车  10:31
单价  2.40元
里程  11.5
等候  00:03:10
金额  37.00元
"""
CAB = """
TAXI RECEIPT
Cab number: 7X12
Date: 05/14/2031
Start time: 10:05 AM
End time: 10:31 AM
Distance: 4.2 miles
Fare: $17.50
Tip: $3.00
Total: $20.50
"""
RIDES = """
样例出行-行程单
SAMPLE TRIP TABLE
申请日期：2031-05-31  行程起止日期：2031-05-02 至 2031-05-28
行程人手机号：02655500177
共2笔行程，合计63.40元
序号  车型  上车时间  城市  起点  终点  里程[公里]  金额[元]
1  快车  05-02 09:35 周五  云州市  示范路1号  样例中心  9.5  27.50
2  快车  05-28 19:02 周三  云州市  样例中心  示范路1号  10.1  35.90
"""

CASES = [
    (
        TRAIN,
        "train_ticket",
        {
            "passenger": "安可心",
            "train": "G8012",
            "from": "云州南站",
            "to": "海东站",
            "travel_date": "2031-05-06",
            "time": "08:10",
            "class": "二等座",
            "seat": "07车12A号",
            "total": "238.5",
        },
    ),
    (
        RAIL,
        "train_ticket",
        {
            "ticket_number": "AB12CD",
            "passenger": "Anna Beispiel",
            "train": "ICE 599",
            "from": "Musterstadt Hbf",
            "to": "Beispielheim",
            "travel_date": "2031-04-03",
            "time": "09:12",
            "seat": "41",
            "total": "39.90",
        },
    ),
    (
        AIR,
        "air_ticket",
        {
            "date": "2031-03-12",
            "ticket_number": "999-1234567890",
            "passenger": "DOE/JANE MS",
            "flight": "XQ 1234",
            "from": "Sampleton",
            "to": "Testville",
            "travel_date": "2031-04-14",
            "time": "07:45",
            "class": "Economy",
            "fare": "310.00",
            "fuel_surcharge": "25.00",
            "other_taxes": "41.20",
            "total": "376.20",
            "seller": "Sample Air",
        },
    ),
    (
        ITINERARY,
        "air_ticket",
        {
            "date": "2031-05-07",
            "ticket_number": "9991234567890",
            "passenger": "安可心",
            "flight": "XQ1234",
            "from": "云州",
            "to": "海东",
            "travel_date": "2031-05-06",
            "time": "08:10",
            "class": "Y",
            "fare": "800.00",
            "fuel_surcharge": "60.00",
            "fund": "50.00",
            "other_taxes": "0.00",
            "total": "910.00",
            "seller": "云州样例航空服务有限公司",
        },
    ),
    (
        TAXI,
        "taxi_receipt",
        {
            "code": "111199000001",
            "number": "12345678",
            "date": "2031-05-06",
            "time": "10:05",
            "end_time": "10:31",
            "vehicle": "宁Z-T1234",
            "distance": "11.5",
            "total": "37.00",
        },
    ),
    (
        CAB,
        "taxi_receipt",
        {
            "date": "2031-05-14",
            "time": "10:05",
            "end_time": "10:31",
            "vehicle": "7X12",
            "distance": "4.2",
            "fare": "17.50",
            "total": "20.50",
        },
    ),
    (
        RIDES,
        "ride_list",
        {"date": "2031-05-31", "start": "2031-05-02", "end": "2031-05-28", "rides": "2", "total": "63.40"},
    ),
]


@pytest.mark.parametrize(("paper", "kind", "values"), CASES)
def test_all_values_that_are_printed_are_found_and_no_others(
    paper: str, kind: str, values: dict[str, str]
) -> None:
    assert values_of(paper) == (kind, values)


def test_an_electronic_train_ticket_has_a_number_and_a_date_of_issue() -> None:
    paper = """
电子发票（铁路电子客票）
发票号码：31119000000000000001   开票日期：2031年05月08日
云州南      G8012      海东
2031年05月06日  08:10开  07车12A号  二等座
票价：￥238.50
1199001900****0028  安可心
电子客票号：X1234567890
购买方名称：云州星河样例科技有限公司  统一社会信用代码：91119900MA00X1R280
"""
    kind, found = values_of(paper)
    assert kind == "train_ticket"
    assert (found["number"], found["date"]) == ("31119000000000000001", "2031-05-08")
    assert (found["travel_date"], found["time"], found["total"]) == ("2031-05-06", "08:10", "238.50")
    assert (found["passenger"], found["buyer"]) == ("安可心", "云州星河样例科技有限公司")


def test_a_price_without_a_label_says_so() -> None:
    _, found = fields_of(TRAIN)
    assert found["total"].checks == ("no_label",)


def test_one_of_two_prices_without_a_label_is_not_guessed() -> None:
    _, found = values_of(TRAIN.replace("￥238.5元", "￥238.5元  ￥12.0元"))
    assert "total" not in found


def test_the_only_ride_of_a_list_has_a_time() -> None:
    _, found = values_of("\n".join(RIDES.strip().splitlines()[:-1]).replace("共2笔", "共1笔"))
    assert (found["rides"], found["time"]) == ("1", "09:35")


def test_a_train_ticket_that_lost_its_layout() -> None:
    paper = """
电子发票（铁路电子客票）
发票号码:
开票日期:
云州南
G8012
海东
2031年05月06日
08:10开
票价:
￥238.50
1199001900****0028
安可心
购买方名称:
统一社会信用代码:
31119000000000000001
2031年05月08日
"""
    kind, found = fields_of(paper)
    assert kind == "train_ticket"
    assert {name: field.value for name, field in found.items()} == {
        "number": "31119000000000000001",
        "date": "2031-05-08",
        "passenger": "安可心",
        "train": "G8012",
        "from": "云州南",
        "to": "海东",
        "travel_date": "2031-05-06",
        "time": "08:10",
        "total": "238.50",
    }
    assert found["number"].checks == found["date"].checks == ("no_label",)
