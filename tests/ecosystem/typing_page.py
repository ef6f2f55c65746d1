"""packaging, typeguard, typing_extensions, pluggy and inflect: versions and markers, checked annotations, hooks, English plurals."""
import typing

import inflect
import pluggy
import typeguard
import typing_extensions
from packaging import markers, requirements, specifiers, tags, utils, version


def attempt(f, *args):
    try:
        print("  ", f(*args))
    except Exception as e:
        print("  ", type(e).__name__, str(e).splitlines()[0].partition("=<")[0])


def packages():
    names = ["1.0", "1.0.dev3", "1.0a1", "1.0.post2", "1!0.5", "1.0+local.7", "2.0rc1", "1.0.0", "0.9.9", "v3"]
    print(sorted(names, key=version.parse), [str(version.parse(n)) for n in names], version.parse("1.2.3rc1.post4.dev5+x").base_version)
    chosen = specifiers.SpecifierSet(">=1.0,!=1.0.post2,<2")
    print(list(chosen.filter(names)), chosen, "1.5b1" in chosen, chosen.contains("1.5b1", prereleases=True))
    for text in ("requests[security,tests]>=2.8.1,==2.8.*;python_version<'2.7'", "x @ https://example.org/x.zip ; os_name == 'posix'", "a b", "x>>1", "name[", "A.B_c"):
        attempt(requirements.Requirement, text)
    for text in ("python_version >= '3.8' and sys_platform == 'linux'", "extra == 'test' or implementation_name == 'cpython'", "'2' in python_version", "os_name ="):
        attempt(lambda: (str(markers.Marker(text)), markers.Marker(text).evaluate({"extra": "test"})))
    print(utils.canonicalize_name("A.b__C"), utils.parse_wheel_filename("pip-18.0-py3.py2-none-any.whl")[0:2], str(next(tags.sys_tags())).split("-")[:2])
    print(any(str(t).startswith("cp313-abi3") for t in tags.sys_tags()), len(list(tags.compatible_tags())) > 10)


def checks():
    T = typing_extensions.TypeVar("T", default=int)

    class Movie(typing.TypedDict, total=False):
        name: typing.Required[str]
        year: int

    class Closer(typing.Protocol):
        def close(self) -> None: ...

    for value, kind in (([1, 2], list[int]), ([1, "x"], list[int]), ({"name": "a"}, Movie), ({"year": 1}, Movie), ({"name": 1}, Movie), (None, typing.Optional[int]), ("x", typing.Union[int, bytes]),
                        (open, Closer), (3, typing.Literal[3, 4]), (5, typing.Literal[3, 4]), ((1, "a"), tuple[int, str]), ((1,), tuple[int, str]), (len, typing.Callable[[int], int]),
                        ({1: {2}}, dict[int, set[str]]), (int, type[bool]), (True, int), (1, T), ("s", typing.Annotated[str, 5]), (b"", typing.AnyStr), (1, "Undefined")):
        attempt(typeguard.check_type, value, kind)

    @typeguard.typechecked
    def f(a: int, *rest: str, key: list[float] = [1.5], **more: bytes) -> str:
        b: int = a
        b = "text" if a == 7 else a
        return a if a == 8 else "%s %s %s %s" % (b, rest, key, more)

    for call in (lambda: f(1, "x"), lambda: f("1"), lambda: f(1, 2), lambda: f(1, key=["a"]), lambda: f(1, z=1), lambda: f(7), lambda: f(8)):
        attempt(call)

    @typeguard.typechecked
    class C:
        def __init__(self, n: int): self.n = n

        @property
        def p(self) -> str: return self.n

        @classmethod
        def c(cls, x: "C") -> "C": return x

        def g(self) -> typing.Iterator[int]: yield "no"

    for call in (lambda: C("x"), lambda: C(1).p, lambda: C.c(3), lambda: next(C(1).g())):
        attempt(call)
    print(typing_extensions.get_type_hints(Movie), typing_extensions.get_protocol_members(Closer), T.__default__, typing_extensions.TypeAliasType("A", list[T], type_params=(T,)))


def hooks():
    spec, impl = pluggy.HookspecMarker("p"), pluggy.HookimplMarker("p")

    class Spec:
        @spec
        def each(self, a, b): "All of them."

        @spec(firstresult=True)
        def first(self, a): "The first that is not None."

    class One:
        @impl(tryfirst=True)
        def each(self, a): return "one", a

        @impl
        def first(self, a): return None

    class Two:
        @impl
        def each(self, b, a): return "two", a + b

        @impl
        def first(self, a): return a * 2

        @impl(wrapper=True, specname="each")
        def around(self):
            results = yield
            return [*results, "wrapped"]

    class Bad:
        @impl
        def each(self, nothing): pass

    manager = pluggy.PluginManager("p")
    manager.add_hookspecs(Spec)
    manager.register(One(), "one")
    two = Two()
    manager.register(two)
    print(manager.hook.each(a=1, b=2), manager.hook.first(a=4), manager.has_plugin("one"), [i.plugin_name == "one" for i in manager.hook.each.get_hookimpls()])
    attempt(lambda: manager.register(Bad(), "bad"))
    attempt(lambda: manager.register(One(), "one").nothing)
    attempt(lambda: manager.hook.each(1))
    manager.unregister(two)
    print(manager.hook.each(a=1, b=2), manager.hook.first(a=1), sorted(n for n, _ in manager.list_name_plugin())[-1])


def words():
    p = inflect.engine()
    for word in "cat ox mouse person child analysis stadium datum knife potato hero sheep mother-in-law Attorney_General die index quiz bus fox man".split():
        print(p.plural(word), p.singular_noun(p.plural(word)), p.a(word), end="; ")
    print()
    print(p.number_to_words(1234567.89), "|", p.number_to_words(1005, andword=""), "|", p.ordinal(112), p.ordinal("ninety-nine"), p.join(["a", "b", "c"]), p.present_participle("lie"))
    print(p.inflect("The plural('dog') and num(3) plural('was') a('apple') number_to_words(21)"), p.compare("ox", "oxen"), p.plural("I"), p.plural_verb("is", 2), p.no("cat", 0))


for part in (packages, checks, hooks, words):
    print("==", part.__name__)
    part()
