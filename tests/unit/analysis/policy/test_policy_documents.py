import json
from pathlib import Path

import pytest

from analysis.policy.dialects import read_policies
from analysis.policy.documents import MOST_VALUES, MOST_YAML_BYTES
from analysis.policy.rules import Policies
from contract.errors import InputError

HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
POLICY = HEAD + "metadata: {name: one, namespace: shop}\nspec: {podSelector: {}, ingress: [{}]}\n"


def read(tmp_path: Path, text: str, name: str = "policy.yaml") -> Policies:
    (tmp_path / name).write_text(text)
    return read_policies([str(tmp_path / name)])


def refusal(tmp_path: Path, text: str, name: str = "policy.yaml") -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, name)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / name))
    assert message.isprintable()
    return message


def spec(text: str) -> str:
    return f"{HEAD}metadata: {{name: one}}\nspec: {text}\n"


def test_a_rule_says_where_it_is_from(tmp_path: Path) -> None:
    rules = read(tmp_path, POLICY).rules
    assert [rule.origin for rule in rules] == [f"NetworkPolicy/shop/one ingress[0] in {tmp_path / 'policy.yaml'}"]


def test_a_folder_is_read_in_order_and_deep(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.yml").write_text(POLICY.replace("one", "two"))
    (tmp_path / "a.json").write_text(json.dumps({"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": [
        {"metadata": {"name": "zero"}, "spec": {"podSelector": {}, "ingress": [{}]}},
    ]}))  # fmt: skip
    (tmp_path / "notes.txt").write_text("not read")
    names = [rule.origin.split(" ")[0] for rule in read_policies([str(tmp_path)]).rules]
    assert names == ["NetworkPolicy/default/zero", "NetworkPolicy/shop/two"]


def test_a_list_and_several_documents(tmp_path: Path) -> None:
    item = POLICY.replace("\n", "\n  ").rstrip()
    text = f"---\n---\napiVersion: v1\nkind: List\nitems:\n- {item}\n---\n{POLICY.replace('one', 'two')}---\n"
    assert len(read(tmp_path, text).rules) == 2


def test_a_policy_type_told_twice_is_one(tmp_path: Path) -> None:
    assert len(read(tmp_path, spec("{policyTypes: [Ingress, Ingress]}")).sections) == 1


def test_an_empty_namespace_is_default(tmp_path: Path) -> None:
    policies = read(tmp_path, POLICY.replace("namespace: shop", 'namespace: ""'))
    assert policies.sections[0].origin.startswith("NetworkPolicy/default/one ingress")


def test_a_bom_is_passed_over(tmp_path: Path) -> None:
    assert len(read(tmp_path, "\ufeff" + POLICY).rules) == 1


def test_an_anchor_is_what_it_stands_for(tmp_path: Path) -> None:
    text = spec("{podSelector: &all {matchLabels: {app: a}}, ingress: [{from: [{podSelector: *all}]}]}")
    policies = read(tmp_path, text)
    assert policies.rules[0].peers == (policies.sections[0].subject,)


def test_a_date_and_a_version_in_quotes_are_texts(tmp_path: Path) -> None:
    text = spec('{podSelector: {matchLabels: {date: 2020-01-01, version: "1.10"}}}')
    assert len(read(tmp_path, text).sections) == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (POLICY.replace("NetworkPolicy", "Deployment"), "document 1: 'Deployment' of 'networking.k8s.io/v1' is no policy"),
        (POLICY.replace("networking.k8s.io/v1", "projectcalico.org/v3"), "'projectcalico.org/v3'"),
        (POLICY.replace("kind: NetworkPolicy\n", ""), "document 1.kind: is absent"),
        (POLICY + "---\n" + POLICY, "NetworkPolicy/shop/one is in"),
        (POLICY.replace("name: one, ", ""), "document 1.metadata.name: is absent"),
        (POLICY.replace("name: one", "name: 'One\\n'"), "is no name"),
        (POLICY + "extra: 1\n", "document 1: has the unknown field 'extra'"),
        (POLICY.replace("{name: one", "{name: one, labls: {}"), "document 1.metadata: has the unknown field 'labls'"),
        ("kind: NetworkPolicyList\nitems: [1]\n", "document 1.items[0]: is not an object"),
        ("- 1\n", "document 1: is not an object"),
        ("just words\n", "document 1: is not an object"),
        (spec("{podSelector: {}, engress: []}"), "document 1.spec: has the unknown field 'engress'"),
        (spec("{podSelector: {matchLabel: {a: b}}}"), "document 1.spec.podSelector: has the unknown field 'matchLabel'"),
        (spec("{podSelector: {matchLabels: {a: 1.10}}}"), "spec.podSelector.matchLabels: has a value for 'a' that is not text"),
        (spec("{policyTypes: [ingress]}"), "document 1.spec.policyTypes[0]: 'ingress' is no policy type"),
        (spec("{policyTypes: [Ingress, Egress, Ingress]}"), "spec.policyTypes[2]: is one policy type too many"),
        (spec("{ingress: {}}"), "document 1.spec.ingress: is not a list"),
        (spec("{ingress: [null]}"), "document 1.spec.ingress[0]: is not an object"),
        (spec("{ingress: [{to: []}]}"), "document 1.spec.ingress[0]: has the unknown field 'to'"),
        (spec("{ingress: [{from: [{}]}]}"), "document 1.spec.ingress[0].from[0]: names nobody"),
        (spec("{ingress: [{from: [{podSelector: null}]}]}"), "from[0]: names nobody"),
        (spec("{ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}"), "has an ipBlock and a selector"),
        (spec("{ingress: [{from: [{ipBlock: {}}]}]}"), "from[0].ipBlock.cidr: is absent"),
        (spec("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]}"), "'10.0.0.1' is no network"),
        (spec("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}"), "'10.0.0.0/33' is no network"),
        (spec("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}]}]}"), "except[0]: 11.0.0.0/9 is not"),
        (spec("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}"), "except[0]: 10.0.0.0/8 is not"),
        (spec("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['::/9']}}]}]}"), "except[0]: ::/9 is not"),
        (spec("{ingress: [{ports: [{port: 0}]}]}"), "document 1.spec.ingress[0].ports[0].port: 0 is no port"),
        (spec("{ingress: [{ports: [{port: 65536}]}]}"), "65536 is no port"),
        (spec("{ingress: [{ports: [{port: true}]}]}"), "ports[0].port: is not a whole number"),
        (spec("{ingress: [{ports: [{port: ''}]}]}"), "'' is no name of a port"),
        (spec("{ingress: [{ports: [{port: '80'}]}]}"), "'80' is no name of a port"),
        (spec("{ingress: [{ports: [{port: a--b}]}]}"), "'a--b' is no name of a port"),
        (spec("{ingress: [{ports: [{port: web, endPort: 90}]}]}"), "ports[0].endPort: needs a port that is a number"),
        (spec("{ingress: [{ports: [{endPort: 90}]}]}"), "ports[0].endPort: needs a port that is a number"),
        (spec("{ingress: [{ports: [{port: 90, endPort: 80}]}]}"), "ports[0].endPort: 80 is less than port 90"),
        (spec("{ingress: [{ports: [{protocol: ICMP}]}]}"), "ports[0].protocol: 'ICMP' cannot be named"),
        (spec("{ingress: [{ports: [{protocol: ''}]}]}"), "ports[0].protocol: '' cannot be named"),
        (spec("{podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}"), "operator: 'in' is no operator"),
        (spec("{podSelector: {matchExpressions: [{key: a, operator: In}]}}"), "In without values"),
        (spec("{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}"), "Exists with values"),
        (spec("{podSelector: {matchExpressions: [{operator: Exists}]}}"), "matchExpressions[0].key: is absent"),
    ],
)  # fmt: skip
def test_what_the_api_server_would_refuse(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [", "is not YAML at line"),
        ("a: 1\na: 2\n", "the key 'a' comes twice"),
        ("1: a\n", "a key is not text"),
        ("? [a]\n: b\n", "a key is not text"),
        ("? !!str [a]\n: b\n", "a key is not text"),
        ("a: &a {b: c}\nd: {<<: *a}\n", "a key is not text"),
        ("!!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: !!binary aGk=\n", "could not determine a constructor"),
        ("a: !!timestamp soon\n", "could not determine a constructor"),
        ("a: !!int ''\n", "is not YAML"),
        ("a: !!float ''\n", "is not YAML"),
        ("a: !!bool perhaps\n", "is not YAML"),
        ("a: !!map text\n", "is not YAML"),
        ("a: !!int " + "9" * 5000 + "\n", "is not YAML"),
        ("a: \x07\n", "is not YAML"),
        ("[" * 5_000_000, "nested more than 64 deep"),
        ("- " * 5_000_000, "nested more than 64 deep"),
        ("{a: " * 65 + "1" + "}" * 65, "nested more than 64 deep"),
        ("{a: " * 64 + "1" + "}" * 64, "document 1.kind: is absent"),
        ("a: &a [*a]\n", "nested too deeply"),
        ("kind: List\nitems: [{kind: List, items: []}]\n", "document 1.items[0]"),
    ],
)
def test_yaml_that_is_not_taken(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(tmp_path, text)


def test_aliases_that_stand_for_too_much(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert MOST_VALUES < 10**12
    assert "aliases stand for too much" in refusal(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"kind": "NetworkPolicy",', "is not JSON at character 25"),
        ('{"kind": "NetworkPolicy", "kind": "List"}', "has the key 'kind' twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"kind": ' + "9" * 5000 + "}", "is not JSON"),
        ("[]", "document 1: is not an object"),
        ('{"kind": "\\ud800", "apiVersion": "v1"}', "is no policy"),
    ],
)
def test_json_that_is_not_taken(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(tmp_path, text, "policy.json")


def test_a_file_that_is_too_big_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    with file.open("wb") as opened:
        opened.truncate(MOST_YAML_BYTES + 1)
    with pytest.raises(InputError, match="more than 16,777,216"):
        read_policies([str(file)])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_policies([str(tmp_path / "absent.yaml")])
    with pytest.raises(InputError, match="is a folder without a YAML or JSON file"):
        read_policies([str(tmp_path)])
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(InputError, match="is not UTF-8 at byte 3"):
        read_policies([str(tmp_path)])
