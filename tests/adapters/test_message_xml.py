"""XML message files by any names: code, severity, customer and text together or apart."""

import io
from collections.abc import Iterator

import pytest

from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.message_xml import XmlMessages
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import Grouped
from exstream_notify.domain.customer_ranges import to_text
from exstream_notify.domain.exceptions import Unusable

FILES = MessageFiles(YamlRules().messages)
EMPTY, STOP = (
    {"EX004120E": ("error", 1, "12", "Field empty")},
    {"EX000123S": ("severe", 1, "13", "Run stopped")},
)
BOTH = EMPTY | STOP


def grouped(xml: str, name: str = "ExstreamMessages.xml", encoding: str = "utf-8") -> Grouped:
    found = Grouped(lambda code, said: said)
    list(FILES.read(io.BytesIO(xml.encode(encoding)), name, "xml_messages", found))
    return found


def told(xml: str, encoding: str = "utf-8") -> dict[str, tuple[str, int, str, str]]:
    """Severity, count, customers and first sample by code."""
    return {
        g.code: (g.severity, g.count, to_text(g.customers.ranges()), "".join(s.text for s in g.sampled[:1]))
        for g in grouped(xml, encoding=encoding).groups.values()
    }


FORMS = [
    # Together.
    '<messages><message code="EX004120E" customer="12">Field empty</message><message code="EX000123S" customer="13">Run stopped</message></messages>',
    "<log><line>11/20/2026 04:02:40 EX004120E (12) Field empty</line><line>EX000123S (13) Run stopped</line></log>",
    "<log><![CDATA[EX004120E (12) Field empty\nEX000123S (13) Run stopped]]></log>",
    "<log><text>EX004120E (12) Field empty\r\nEX000123S (13) Run stopped</text></log>",
    # Code and severity apart, in attributes.
    '<messages><message number="004120" severity="E" customer="12">Field empty</message><message number="000123" severity="S" customer="13">Run stopped</message></messages>',
    '<m:r xmlns:m="urn:x"><m:msg m:no="4120" m:level="Error" m:customerInRun="12" m:text="Field empty"/><m:msg m:no="0123" m:level="FATAL" m:customerInRun="13" m:text="Run stopped"/></m:r>',
    '<r><msg code="EX004120" sev="error" seq="12">Field empty</msg><msg code="EX000123" sev="Severe" seq="13">Run stopped</msg></r>',
    '<r><error number="004120" customer="12">Field empty</error><severe number="000123" customer="13">Run stopped</severe></r>',
    '<r><msg severity="Fehler" nummer="4120" customer="12">Field empty</msg><msg severity="schwerwiegend" nummer="123" customer="13">Run stopped</msg></r>',
    # In child elements.
    "<r><e><code>EX004120</code><severity>Error</severity><customer>12</customer><text>Field empty</text></e><e><code>EX000123</code><severity>S</severity><customer>13</customer><text>Run stopped</text></e></r>",
    "<r><e><severity>E</severity><id>004120</id><customer>12</customer><message>Field empty</message></e><e><severity>S</severity><id>000123</id><customer>13</customer><message>Run stopped</message></e></r>",
    "<r><e><msgNo>4120</msgNo><msgType>Error</msgType><customerNumber>12</customerNumber><msgText>Field empty</msgText></e><e><msgNo>123</msgNo><msgType>Severe</msgType><customerNumber>13</customerNumber><msgText>Run stopped</msgText></e></r>",
    '<r><e><code severity="E">004120</code><customer>12</customer><text>Field empty</text></e><e><code severity="S">000123</code><customer>13</customer><text>Run stopped</text></e></r>',
    '<r><e><f name="code">EX004120E</f><f name="customer">12</f><f name="text">Field empty</f></e><e><f name="code">EX000123S</f><f name="customer">13</f><f name="text">Run stopped</f></e></r>',
    "<r><e><MessageID>EX004120-E</MessageID><Customer_In_Run>12</Customer_In_Run><Description>Field empty</Description></e><e><MessageID>EX000123-S</MessageID><Customer_In_Run>13</Customer_In_Run><Description>Run stopped</Description></e></r>",
    # One after the other, without an element for each.
    "<r><code>EX004120E</code><customer>12</customer><text>Field empty</text><code>EX000123S</code><customer>13</customer><text>Run stopped</text></r>",
    "<r><severity>E</severity><number>4120</number><customer>12</customer><text>Field empty</text><severity>S</severity><number>123</number><customer>13</customer><text>Run stopped</text></r>",
    # Appended by a logger, without a root.
    '<l:event level="ERROR"><l:message><![CDATA[EX004120E (12) Field empty]]></l:message></l:event>\n<l:event level="FATAL"><l:message><![CDATA[EX000123S (13) Run stopped]]></l:message></l:event>\n',
    # Deep in something else.
    "<run><info><name>BILLING</name></info><out><log><entries><entry><head><code>EX004120E</code></head><customer>12</customer><text>Field empty</text></entry><entry><head><code>EX000123S</code></head><customer>13</customer><text>Run stopped</text></entry></entries></log></out></run>",
]  # fmt: skip


@pytest.mark.parametrize("xml", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp037"])
def test_a_message_is_found_whatever_its_parts_are_called(xml: str, encoding: str) -> None:
    head = "<?xml version='1.0'?>" if encoding == "cp037" and not xml.startswith("<l:event") else ""
    assert told(head + xml, encoding) == BOTH


@pytest.mark.parametrize(
    "xml",
    [
        "<r><m><Number>4120</Number><Severity>E</Severity><Text>x</Text></m><m><Number>123</Number><Severity>S</Severity></m></r>",
        "<r><m><h><code>EX004120E</code></h><text>x</text></m><m><h><code>EX000123S</code></h></m></r>",
        "<r><m><code>EX000123S</code></m><m><code>EX004120E</code><text>x</text></m></r>",
    ],
)  # fmt: skip
def test_a_message_without_text_beside_one_that_has_a_text_is_found(xml: str) -> None:
    assert told(xml).keys() == {"EX004120E", "EX000123S"}


@pytest.mark.parametrize(
    "xml",
    [
        '<r><m><msgId>EX004120E</msgId><cust>12</cust><txt>x</txt></m></r>',
        "<r><Meldung><Nummer>4120</Nummer><Klasse>E</Klasse><Kunde>12</Kunde></Meldung></r>",
        "<r><message><numéro>4120</numéro><gravité>Erreur</gravité><client customer='12'/></message></r>",
        "<r><mensaje><código>4120</código><severidad>error</severidad><cliente>12</cliente></mensaje></r>",
        '<r><m MsgNum="4120" MsgSev="E" Cust="12"/></r>',
    ],
)  # fmt: skip
def test_the_names_of_parts_come_in_several_languages(xml: str) -> None:
    code, (severity, count, customers, _) = next(iter(told(xml).items()))
    assert (code, severity, count, customers) == ("EX004120E", "error", 1, "12")


def test_codes_without_text_are_counted_each() -> None:
    leaves = "".join(f"<code>EX{n:06d}E</code>" for n in range(1000))
    assert len(grouped(f"<r>{leaves}</r>").groups) > 500
    assert grouped(f"<r>{leaves}</r>").messages == 1000
    assert grouped(f"<run><log>{leaves}</log></run>").messages == 1000
    assert grouped(f"<run>{leaves.replace('code>', 'm>')}</run>").messages == 1000


def test_a_code_that_a_text_quotes_is_no_message() -> None:
    assert told('<r><m code="EX004120E" customer="12">Field empty, see EX000123S</m></r>').keys() == {
        "EX004120E"
    }
    assert told("<r><m><code>EX004120E</code><text>Caused by EX000123S</text></m></r>").keys() == {
        "EX004120E"
    }


@pytest.mark.parametrize(
    ("given", "severity"),
    [("warning", "error"), ("Severe", "severe"), ("S", "severe"), ("loud", "error"), ("", "error")],
)
def test_where_letter_and_severity_differ_the_worse_counts(given: str, severity: str) -> None:
    assert told(f'<r><m code="EX004120E" severity="{given}"/></r>')["EX004120E"][0] == severity


def test_a_number_without_a_severity_that_is_known_is_an_error() -> None:
    assert told('<r><m messageNumber="004120" severity="9">x</m></r>') == {"EX004120": ("error", 1, "", "x")}


def test_a_running_number_is_no_code() -> None:
    xml = '<r><entry id="1" level="ERROR">EX004120E (12) Field empty</entry><entry id="2" level="ERROR">EX000123S (13) Run stopped</entry></r>'
    assert told(xml) == BOTH


def test_elements_that_should_be_messages_and_are_none_are_counted() -> None:
    xml = '<log><head>x</head><m code="EX004120E"/>\n<m level="9">stop</m>\n<event>what</event><foot/></log>'
    found = grouped(xml)
    assert (found.messages, found.unmatched, found.first_unmatched) == (1, 2, 2)
    within = "<log><entry><code>EX004120E</code><message>Field empty</message></entry></log>"
    assert grouped(within).unmatched == 0


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ('<r><m code="EX004120E">Tom & Ann</m>\n<m code="EX000123S"/><m code="EX003004W"/></r>', "line 1"),
        ('<?xml version="1.0"?><r><m code="EX004120E"/></r><?xml version="1.0"?><r><m>EX000123S (1) x</m></r>', "line 1"),
        ('<!DOCTYPE r [<!ENTITY a "x">]><r><m code="EX004120E"/><m code="EX000123S">&a;</m></r>', "refused"),
    ],
)  # fmt: skip
def test_codes_behind_a_fault_are_found_and_the_file_is_reported(xml: str, reason: str) -> None:
    found = Grouped(lambda code, said: said)
    with pytest.raises(Unusable, match=reason):
        list(FILES.read(io.BytesIO(xml.encode()), "a.messages.xml", "xml_messages", found))
    assert {"EX004120E", "EX000123S"} <= {group.code for group in found.groups.values()}
    assert all(group.count == 1 for group in found.groups.values())


@pytest.mark.parametrize(
    "xml", ["<a><b/></a>", "<a><b>stop</b></a>", '<messages><message level="9">x</message></messages>']
)
def test_a_file_with_elements_and_no_message_is_refused(xml: str) -> None:
    with pytest.raises(Unusable, match="none of which is a message"):
        told(xml)


def test_a_whole_log_in_one_element_is_read_however_long() -> None:
    lines = "".join(f"EX{n % 3:06d}W ({n}) something or other\n" for n in range(1, 20_001))
    found = grouped(f"<log><![CDATA[{lines}EX000123S (13) Run stopped\n]]></log>")
    assert found.messages == 20_001
    assert found.groups["EX000123S", ""].severity == "severe"


def test_what_a_long_element_says_is_told_before_it_ends() -> None:
    line = "EX000123S (13) Run stopped\n"
    read: list[int] = []

    def pieces() -> Iterator[str]:
        yield "<log>"
        for number in range(100):
            read.append(number)
            yield line * 100
        yield "</log>"

    rules = YamlRules().messages
    found = Grouped(lambda code, said: said)
    groups = XmlMessages("a.xml", found, rules.severities).read(pieces())
    assert next(groups).code == "EX000123S"
    assert 20 < len(read) < 40, "after some 64 KB, not at the end"
    assert list(groups) == []
    assert found.messages == 10_000


def test_hundreds_of_fields_do_not_hide_a_severe_code() -> None:
    many = "".join(f"<text>t{n}</text>" for n in range(1000))
    assert "EX000123S" in told(f"<r><m>{many}<code>EX000123S</code></m></r>")
