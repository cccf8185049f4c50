"""Where the name of a Chinese organisation begins and ends: verbs and titles before it, departments behind it."""

from __future__ import annotations

import re

_OFFICE = (
    "董事长|董事|监事|经理|总裁|主席|主任|委员|书记|所长|厂长|院长|校长|会长|部长|科长|处长|局长|秘书|总监|会计师"
    "|工程师|教授|顾问|代表"
)
# Verbs of office and of work: what is before them is not part of a name either. 任丘 and 任县 are towns.
_LEAD = re.compile(
    r".*(?:(?:任职|就职|供职|任教|执教|执业|挂职|服务|受雇|工作|毕业|就读|受聘|隶属|位|属)于"
    rf"|(?:{_OFFICE})[和与及兼暨]"
    r"|(?:[现曾历兼担出升调转改就继聘派接原前续仍并均时今年月日起后]|先后|委)任(?![丘县])"
    r"|[年月日后起并](?:加入|加盟|进入|转入|调入|[调转][至往到])"
    r"|(?:[现曾原均]|股东|名称|全称|(?:单位|雇主|代表人)(?:名称)?)为)"
    r"|任(?![丘县])"
    r"|[现均]?系(?=[\u4e00-\u9fff]{5})"
    r"|(?:创办|组建|筹建|派驻|借调|[调转][至往到]|分配[至到]|辞去|离开|收购|持有|加入|加盟)"
    r"|[自于在从]?[0-9]{4}年(?:[0-9]{1,2}月)?(?:[0-9]{1,2}日)?(?:至今|以来|开始|起|初|底|末|后)?"
    r"|[(（\"“](?=[^)）\"”]*\Z)"
    r"|(?:全资|控股)?[子母]公司(?=[\u4e00-\u9fff]{4})"
    r"|(?:(?:申请|委托|受托|承租|出租|担保|保证|投保|收款|付款|托运|收货|发货|承运))?人(?![民人保福本和])(?=[\u4e00-\u9fff]{6})"
    r"|[原前](?=[\u4e00-\u9fff]{5})"
)
_LONGEST_LEAD = 24
VERB = re.compile("(?:[现曾历兼担出升调转改就继聘派接原前续仍并均时]|先后|委)任")
"""A verb of office."""

_FORM = "公司|集团|厂|银行|分行|支行|医院|研究所|中心|协会|委员会|党委|市委|省委|县委"
_FUNCTION = "财务|会计|采购|审计|人力资源|市场|销售|营销|法务|证券|行政|研发|企划|企管|质量|品质|客服|投资"
_DEPARTMENT = re.compile(
    rf".*(?:{_FORM})(?P<tail>[\u4e00-\u9fff]{{1,14}}(?:(?<!俱乐)(?<!营业)部|处|科|室|办|队|组)"
    r"|(?:第[一二三四五六七八九十]+届)?[监董]事[会局])\Z"
    rf"|.*?(?P<known>(?:{_FUNCTION}){{1,2}}(?:管理|发展)?[部处科])\Z"
)


def bounds(name: str) -> tuple[int, int]:
    """Where in `name` the name proper begins and ends: `现任某某公司财务部` is `某某公司`.

    Equal if nothing is left: a department by its function alone (财务部) is not an organisation.
    """
    start, end = 0, len(name)
    while start < end and (lead := _LEAD.match(name, start, min(end, start + _LONGEST_LEAD))):
        start = lead.end()
    while start < end and (tail := _DEPARTMENT.match(name, start, end)):
        end = max(tail.start("tail"), tail.start("known"))
    return start, end
