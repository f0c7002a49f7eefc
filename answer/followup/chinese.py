"""How does a Chinese question go on from the one before?"""

import re

from answer.asked import ASKING_IN_CHINESE
from answer.followup.lists import item
from answer.followup.thread import ENDS, Completed, Thread, after, instead, of_period, only_period
from xuesi.core.dates import figure

_LEAD = re.compile(
    r"(?:(?:好的?|嗯+|哦|谢谢|明白了|请问|請問|那么|那麼|那(?![些个個种種时時里裡边邊样樣曲达達拉份位])|然后|再问一下)[，,。\s]*)+"
)

# 第二点, 最后一条, 第3项主要安排是什么
_UNITS = "个方面|點|点|条|條|项|項|个|個|方面|部分|步|种|種|类|類|件|句|章|节|款"
_ORDINAL = re.compile(
    rf"(?:其中的?)?(?:第(?P<number>[一二三四五六七八九十]{{1,3}}|\d{{1,2}})|最后一)(?P<unit>{_UNITS})"
    r"(?:呢|怎么说|是怎么说的|是?讲(?:了)?什么|说(?:了)?什么|的?(?:具体)?(?:内容)?(?:是什么|是啥|有哪些|呢)|具体(?:呢|怎么说|是什么|指什么)|指什么|怎么理解|怎么做)?"
)
_COUNTED = re.compile(
    rf"有?(?:哪|那)?(?:[几幾些\d一二三四五六七八九十两]|[几幾])(?P<unit>{_UNITS})?(?:主要的)?(?=[\u3400-\u9fff])"
)
_WHICH = re.compile(r"哪|[几幾]")
_TOLD = re.compile(rf"的?(?:第(?:[一二三四五六七八九十]{{1,3}}|\d{{1,2}})|最后一)(?P<unit>{_UNITS})")
_INNER = str.maketrans("“”", "‘’")
_NAMED_ITEM = re.compile(r"“[^“”]{1,60}”(?=是什么$)")

_PERIOD_TAIL = re.compile(r"(?:的(?:情况)?)?(?:呢|怎么样|又?如何)?|(?:的|期间)呢?")
_AND_WHAT = re.compile(r"(?P<what>[^，,。；;：:？?]{1,20}?)呢")
_HOW_IS = re.compile(r"(?P<what>[^，,。；;：:？?]{1,12}?)(?:怎么样|又?如何)")
_ASKS = re.compile(rf"{ASKING_IN_CHINESE}|是不是|[能会會要对對可]不[能会會要对對可]|有没有|有沒有")
_STATES = re.compile(r"不|没|沒|还|還|正|才|可|我|你|所以|因为")

# A question without a word of its own.
_ASKING = (
    "为什么|為什麼|为何|為何|什么时候|什麼時候|何时|何時|哪里|哪裡|哪儿|什么|什麼|何处|谁|誰|怎么|怎麼|怎样|怎樣|如何|多少|多久|多长|多大|多高"
    "|哪|几|幾|是否|能否|可否|是不是|有没有|能不能|要不要|可不可以|吗|嗎|呢"
)
_GENERAL = (  # 其他 alone goes on, 其他单位 does not
    "些|有|是|在|由|要|需要|应当|应该|應當|應該|可以|能|会|會|从|到|对|用|的|了|还|還|也|都|又|就|再|啊|吧|具体|主要|分别|一共|总共|大概|一般|其他|别的|另外|更|最"
    "|这样|那样|这么|那么|这|那|此|开始|结束|进行|负责|规定|做到|做|办|说|讲|写|看|算|定|落实|实现|开展|实施|发生|发布|印发|制定|提出|举行"
    "|要求|意义|区别|不同|例外|条件|程序|步骤|期限|时间|时候|地点|地方|原因|理由|依据|根据|目的|目标|作用|好处|坏处|特点|影响|结果|内容|办法|方法|措施|例子|举例|举|比如|例如|后果"
    "|责任|标准|范围|对象|人|事|个|项|条|点|种|次|天|日|年|月|名|位|份|内|以内|之内|以前|以后|之前|之后|然后|接下来|解释|说明|详细|展开|一下"
)
_EMPTY = re.compile(rf"(?:{_ASKING}|{_GENERAL})+")
_WHO = re.compile(r"(?:由|是|被)?(?:谁|誰)(?!是)来?[\u3400-\u9fff]{0,3}的?")
_ASKS_ALONE = re.compile(
    rf"{_ASKING}|比如|例如|举例|原因|理由|依据|目的|意义|区别|结果|例子|展开|解释|详细|具体|还有|然后"
)
_LONGEST_EMPTY = 14

_DEMONSTRATIVE = re.compile(
    r"(?:这|那)(?=是|有|会|能|对|在|由|算|指|包括|意味|样做|么做|样规定|样要求)"
    r"|(?:这|那)(?:些|个|几[个项条点种]|[一两二三四五六七八九十](?:项|条|点|种|个方面))(?!年|月|天|时候|世纪)"
    r"|(?:这|那)(?:项|份|篇|条|种|本)|(?:上述|以上|前述)(?=[\u3400-\u9fff])|其中"
    r"|该(?:文件|办法|规定|条例|制度|报告|会议|活动|项目|方案|意见|通知|决定|计划|院|省|市|县|校|局|厅|单位|部门|机关|公司|系统|指标|规则)"
)
_PRONOUN = re.compile(
    r"(?:它们|它(?!山)|他们|她们|他(?![人国乡山律用杀])|她|其(?![他它余餘中实實次间間一二三四五六七八九]))"
)
_BEFORE_PRONOUN = re.compile(r"(?:为什么|为何|什么时候|何时|怎么|如何|谁|在?哪里|是谁|由谁|对于?|关于|除了)?")
_ABOUT = re.compile(
    r"(?:请问)?(?P<it>[^，,。；;？?]{2,40}?)(?:是什么|有哪些|包括哪些|是指什么|指什么)|什么是(?P<this>[^，,。；;？?]{2,40})"
)

_PLACE = re.compile(
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾"
    "|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|全国|中央"
)
_BORDER = re.compile(r"[，,：:；;、的在对對把和与與是由看问《“\s]")
_LONGEST_LIKE = 14


def completed(question: str, thread: Thread) -> Completed | None:
    """The whole question; None where it stands by itself."""
    said = question.rstrip(ENDS)
    lead = _LEAD.match(said)
    core = said[lead.end() :] if lead else said
    return (
        _ordinal(core, thread)
        or _of_period(core, thread)
        or _and_what(core, thread, led=bool(lead))
        or _pronoun(core, thread)
        or _without_words(core or said, thread)
    )


def _ordinal(core: str, thread: Thread) -> Completed | None:
    """第二点呢 after a question for several points: the same question for the second, with its beginning where the answer told it."""
    match = _ORDINAL.fullmatch(core)
    if match is None:
        return None
    number = figure(match["number"]) if match["number"] else None
    nth = f"第{match['number']}" if match["number"] else "最后一"
    told = item(thread.items, number)
    named = f"“{told.translate(_INNER)}”" if told else ""
    bare = thread.bare
    if (asked := _counted_in(bare)) is not None:
        head, unit, what = asked
        head = head.removesuffix("了")
        whole = f"{head}{'' if head.endswith('的') else '的'}{nth}{unit or match['unit']}{what}{named}是什么？"
    elif bare.endswith("是什么") and (before := _TOLD.search(bare)):  # the third after the second
        of = _NAMED_ITEM.sub("", bare).removesuffix("是什么")
        head = of[: before.start()]
        whole = f"{head}{'的' if head else ''}{nth}{before['unit']}{of[before.end() :]}{named}是什么？"
    else:
        whole = thread.then(f"{nth}{match['unit']}{named}是什么？")
    return Completed(whole, Thread(whole, thread.items))


def counted(question: str) -> str:
    """What a question counts: 主要安排 of 读书班有哪几项主要安排？; empty where it counts nothing."""
    found = _counted_in(question.rstrip(ENDS))
    return found[2] if found else ""


def _counted_in(bare: str) -> tuple[str, str, str] | None:
    """Of 读书班有哪几项主要安排: 读书班, 项, 主要安排; None where nothing is counted at its end."""
    for match in _COUNTED.finditer(bare):
        what = bare[match.end() :]
        if match.start() > 1 and _WHICH.search(match.group()) and len(what) <= 10 and not _ASKS.search(what):
            return bare[: match.start()], match["unit"] or "", what
    return None


def _of_period(core: str, thread: Thread) -> Completed | None:
    """2024年呢: the same question of that period."""
    bare = core.removeprefix("在").removeprefix("到")
    found = only_period(bare)
    if found is None or not _PERIOD_TAIL.fullmatch(bare, found.span.end):
        return None
    return of_period(found.span.of(bare), thread)


def _and_what(core: str, thread: Thread, *, led: bool) -> Completed | None:
    """湖南呢: the same question of something else, in the place of what is like it, else named after the question."""
    match = _AND_WHAT.fullmatch(core) or (_HOW_IS.fullmatch(core) if led else None)
    if match is None or _ASKS.search(match["what"]) or _STATES.match(match["what"]):
        return None
    what = match["what"]
    if _EMPTY.fullmatch(what) or _PRONOUN.match(what):
        return None
    like = _like(what, thread.bare)
    return instead(f"{like}？" if like else f"{thread.bare}，{what}呢？")


def _like(what: str, bare: str) -> str:
    """The question with `what` for another place, or for another thing whose name ends in the same two characters; empty where there is none."""
    place = what.removesuffix("省").removesuffix("市")
    there = _PLACE.search(bare)
    if _PLACE.fullmatch(place) and there:
        return bare.replace(there.group(), place)
    ending = what[-2:]
    end = bare.find(ending) + 2
    if len(what) < 3 or end < 3:
        return ""
    start = max((border.end() for border in _BORDER.finditer(bare, 0, end - 2)), default=0)
    old = bare[start:end]
    if old == what or len(old) > _LONGEST_LIKE or _ASKS.search(old):
        return ""
    return bare[:start] + what + bare[end:]


def _pronoun(core: str, thread: Thread) -> Completed | None:
    """它是谁制定的: of what the question before was about."""
    start = _BEFORE_PRONOUN.match(core)
    at = start.end() if start else 0
    pronoun = _PRONOUN.match(core, at)
    if pronoun is None and not (_DEMONSTRATIVE.match(core, at) or _DEMONSTRATIVE.match(core)):
        return None
    about = _ABOUT.fullmatch(thread.bare)
    if pronoun is None or about is None or not pronoun.group().startswith(("它", "其")):
        return after(thread.then(f"{core}？"), thread) if _ASKS.search(core) else None
    it = about["it"] or about["this"]
    joined = "的" if pronoun.group() == "其" and core[pronoun.end() :][:1] != "的" else ""
    return after(f"{core[:at]}{it}{joined}{core[pronoun.end() :]}？", thread)


def _without_words(core: str, thread: Thread) -> Completed | None:
    """为什么, 由谁批准, 有什么要求: what the question before was about, asked further."""
    if _WHO.fullmatch(core):
        return after(thread.then(f"{core}？"), thread)
    if (
        len(core) > _LONGEST_EMPTY
        or core.startswith("什么是")
        or not _EMPTY.fullmatch(core)
        or not _ASKS_ALONE.search(core)
    ):
        return None
    return after(thread.then(f"{core}？"), thread)
