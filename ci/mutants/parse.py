# SPDX-License-Identifier: Apache-2.0
"""A light parser of this project's GPU sources: enough C++ to find expressions, statements and functions, no more.

It leans on the house's formatting: a binary operator has a space before it, the bracket of a template argument list has
none. What it can't parse it leaves out (Source.unparsed counts), so that a new construct costs mutants, not a build.
"""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|\\\n) | (?P<comment>//[^\n]*|/\*.*?\*/) | (?P<pp>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<str>(?:u8|L|R)?"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+')
  | (?P<num>0[xX][0-9a-fA-F.']+(?:[pP][+-]?\d+)?[a-zA-Z]*|(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[a-zA-Z]*)
  | (?P<id>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|\.\.\.|->|\+\+|--|&&|\|\||==|!=|<=|>=|\+=|-=|\*=|/=|%=|&=|\|=|\^=|::|<<|>>|[-+*/%&|^~!<>=?:;,.(){}\[\]])
""", re.X | re.S | re.M)

BINARY = {"||": 3, "&&": 4, "|": 5, "^": 6, "&": 7, "==": 8, "!=": 8, "<": 9, ">": 9, "<=": 9, ">=": 9, "<<": 10, ">>": 10,
          "+": 11, "-": 11, "*": 12, "/": 12, "%": 12}
ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
TYPE_WORDS = {"void", "bool", "char", "short", "int", "long", "unsigned", "signed", "float", "double", "const", "volatile", "auto", "struct",
              "typename", "_Float16", "constexpr", "static", "extern", "inline", "register", "__shared__", "__restrict__", "decltype", "alignas", "__align__"}


class ParseError(Exception): pass


class Token:
  __slots__ = ("kind", "text", "start", "end", "spaced")

  def __init__(self, kind, text, start, end, spaced): self.kind, self.text, self.start, self.end, self.spaced = kind, text, start, end, spaced

  def __repr__(self): return self.text


class Node:
  """kind, tokens [first, last), children in source order, and what the kind needs. `wraps` is filled by generate.py."""

  def __init__(self, kind, first, last=None, kids=(), **more):
    self.kind, self.first, self.last, self.kids, self.wraps = kind, first, last, [k for k in kids if k is not None], []
    self.__dict__.update(more)

  def walk(self):
    yield self
    for k in self.kids: yield from k.walk()


def tokenize(text):
  out, at, spaced = [], 0, True
  while at < len(text):
    m = TOKEN.match(text, at)
    if not m: raise ParseError(f"unknown character {text[at]!r} at {at}")
    kind, at = m.lastgroup, m.end()
    if kind in ("space", "comment"):
      spaced = True
      continue
    word = m[0]
    if kind == "op" and word in ("<", ">", ">>") and (not spaced or (word == "<" and out and out[-1].text == "template")):
      for i in range(len(word)): out.append(Token("angle", word[i], m.start() + i, m.start() + i + 1, False))
    else: out.append(Token(kind, word, m.start(), m.end(), spaced))
    spaced = False
  return out


class Source:
  """One file: its tokens, the functions in it (Function) and how many statements were left out."""

  def __init__(self, text):
    self.text, self.tokens, self.unparsed, self.functions = text, tokenize(text), [], []
    self.at = 0
    try: self._scan(len(self.tokens))
    except ParseError as e: self.unparsed.append(str(e))

  # ---- helpers

  def slice(self, first, last): return self.text[self.tokens[first].start:self.tokens[last - 1].end] if last > first else ""

  def words(self, first, last): return [t.text for t in self.tokens[first:last]]

  def line(self, index): return self.text.count("\n", 0, self.tokens[index].start) + 1

  def peek(self, n=0): return self.tokens[self.at + n].text if self.at + n < len(self.tokens) else ""

  def kind(self, n=0): return self.tokens[self.at + n].kind if self.at + n < len(self.tokens) else ""

  def take(self, text):
    if self.peek() != text: raise ParseError(f"line {self.line(min(self.at, len(self.tokens) - 1))}: {self.peek()!r} where {text!r} was expected")
    self.at += 1

  def closing(self, index):
    """Index after the bracket that closes the one at `index`."""
    pairs, depth = {"(": ")", "[": "]", "{": "}"}, 0
    if self.tokens[index].kind == "angle":
      i = index
      while i < len(self.tokens):
        t = self.tokens[i]
        if t.kind == "angle": depth += 1 if t.text == "<" else -1
        elif t.text in pairs: i = self.closing(i) - 1
        elif t.text == ";": break
        if depth == 0: return i + 1
        i += 1
      raise ParseError(f"line {self.line(index)}: template brackets without an end")
    for i in range(index, len(self.tokens)):
      t = self.tokens[i]
      if t.kind == "op" and t.text in "([{": depth += 1
      elif t.kind == "op" and t.text in ")]}": depth -= 1
      if depth == 0: return i + 1
    raise ParseError(f"line {self.line(index)}: a bracket without an end")

  # ---- namespaces, classes, functions

  def _scan(self, end):
    """Declarations up to token `end`: finds function bodies."""
    begin = self.at
    while self.at < end:
      t = self.tokens[self.at]
      if t.kind == "pp" or t.text in (";", "}") or (t.text == ":" and self.words(begin, self.at)[-1:] in (["public"], ["private"])):
        self.at += 1
        begin = self.at
      elif t.kind == "angle" and t.text == "<": self.at = self.closing(self.at)
      elif t.text in ("(", "["): self.at = self.closing(self.at)
      elif t.text == "{":
        words, last = self.words(begin, self.at), self.closing(self.at)
        opener = self._opener(begin)
        if opener is not None and "=" not in words:
          self._function(begin, opener, last)
        elif any(w in words for w in ("namespace", "struct", "class", "union", "extern")) and "=" not in words and "enum" not in words:
          self.at += 1
          self._scan(last - 1)
        self.at = last
        begin = last if opener is not None or "=" not in words else begin
      else: self.at += 1

  def _opener(self, begin):
    """Of the tokens from `begin` to the brace here: where the parameter list of a function begins, if they are its head."""
    i, found = begin, None
    while i < self.at:
      t = self.tokens[i]
      if t.kind == "angle": i = self.closing(i)
      elif t.text == "(":
        name = self.tokens[i - 1]
        if name.kind == "id" and not name.text.startswith("__launch_bounds") and name.text not in ("TRINE_LAUNCH_BOUNDS", "__attribute__", "alignas"): found = i
        i = self.closing(i)
      else: i += 1
    return found

  def _function(self, begin, opener, last):
    head = self.words(begin, self.at)
    name = self.tokens[opener - 1].text
    function = Function(name, "__global__" in head or "TRINE_DEVICE" in head or "__device__" in head or "TRINE_FN" in head,
                        "constexpr" in head[:head.index("(")] if "(" in head else False)
    if "__global__" in head: function.kernel = True
    parameters = self.words(opener, self.closing(opener))
    function.parameters = parameters
    function.begin, function.end = begin, last
    function.body = self._block()
    self.functions.append(function)

  # ---- statements

  def _block(self):
    first = self.at
    last = self.closing(first)
    self.at += 1
    kids = self._statements(last - 1)
    self.at = last
    return Node("block", first, last, kids)

  def _statements(self, end):
    out = []
    while self.at < end:
      s = self._statement() if self.kind() != "pp" or self._pragma() else None
      if s is not None: out.append(s)
    return out

  def _pragma(self):
    """Steps over a preprocessor line, unless it asks for the unrolling of a loop: that belongs to the loop."""
    if re.match(r"\s*#\s*pragma\s+unroll", self.peek()) and self.tokens[self.at + 1].text == "for": return True
    self.at += 1
    return False

  def _statement(self):
    first = self.at
    try: return self._statement_of(first)
    except ParseError as e:
      self.unparsed.append(str(e))
      self.at = first
      self._skip()
      return None

  def _skip(self):
    """Over a statement that could not be parsed: to its semicolon or the end of its block."""
    if self.peek() == "{":
      self.at = self.closing(self.at)
      return
    while self.at < len(self.tokens):
      t = self.tokens[self.at]
      if t.text in ("(", "["): self.at = self.closing(self.at)
      elif t.text == "{":
        self.at = self.closing(self.at)
        if self.peek() not in (";", ",", ")", "else"): return
      elif t.text == "}": return
      else:
        self.at += 1
        if t.text == ";": return

  def _body(self):
    while self.kind() == "pp" and not self._pragma(): pass
    s = self._statement()
    if s is None: raise ParseError(f"line {self.line(self.at - 1)}: a body that could not be parsed")
    return s

  def _statement_of(self, first):
    word, unrolled = self.peek(), False
    if self.kind() == "pp":
      unrolled = not re.search(r"unroll\s*\(?\s*1\b", word)
      self.at += 1
      word = self.peek()
    if word == "{": return self._block()
    if word == ";":
      self.at += 1
      return Node("empty", first, self.at)
    if word == "if":
      self.at += 1
      constant = self.peek() == "constexpr"
      if constant: self.at += 1
      self.take("(")
      condition = self.expression()
      self.take(")")
      then, other = self._body(), None
      if self.peek() == "else":
        self.at += 1
        other = self._body()
      return Node("if", first, self.at, [None if constant else condition, then, other], condition=condition, constant=constant, then=then, other=other)
    if word == "for":
      self.at += 1
      self.take("(")
      head = self.closing(self.at - 1) - 1
      init = None if self.peek() == ";" else self._simple(range_for=True)
      if init is not None and init.kind == "range": condition = step = None
      else:
        if init is None: self.take(";")
        condition = None if self.peek() == ";" else self.expression()
        self.take(";")
        step = None if self.at == head else self.expression()
      self.take(")")
      body = self._body()
      return Node("for", first, self.at, [init, condition, step, body], init=init, condition=condition, step=step, body=body, unrolled=unrolled)
    if word == "while":
      self.at += 1
      self.take("(")
      condition = self.expression()
      self.take(")")
      body = self._body()
      return Node("while", first, self.at, [condition, body], condition=condition, body=body)
    if word == "do":
      self.at += 1
      body = self._body()
      self.take("while")
      self.take("(")
      condition = self.expression()
      self.take(")")
      self.take(";")
      return Node("do", first, self.at, [body, condition], condition=condition, body=body)
    if word == "switch":
      self.at += 1
      self.take("(")
      value = self.expression()
      self.take(")")
      block = self._block()
      return Node("switch", first, self.at, [value, block])
    if word in ("case", "default"):
      while self.peek() != ":": self.at += 1
      self.at += 1
      return Node("label", first, self.at)
    if word in ("break", "continue", "return", "goto"):
      self.at += 1
      value = None if self.peek() == ";" else self.expression()
      self.take(";")
      return Node(word, first, self.at, [value], value=value)
    function_pointer = self.kind() == "id" and self.peek(1) == "(" and self.peek(2) == "*" and word in TYPE_WORDS
    if function_pointer or word in ("static_assert", "using", "typedef", "struct", "asm", "__asm__", "enum"):
      while self.peek() != ";": self.at = self.closing(self.at) if self.peek() in ("(", "[", "{") else self.at + 1
      self.at += 1
      return Node("opaque", first, self.at)
    return self._simple()

  def _declares(self):
    """Is a declaration here? Where its first declarator's name stands, else None."""
    i, names, typed = self.at, 0, False
    while i < len(self.tokens):
      t = self.tokens[i]
      if t.text in ("alignas", "decltype", "__align__") and self.tokens[i + 1].text == "(":
        i, typed = self.closing(i + 1), True
        continue
      if t.kind == "id":
        after = self.tokens[i + 1]
        if t.text in TYPE_WORDS: typed = True
        elif names == 0 and not (typed and after.text in ("=", ";", ":", ",", "[", "{")):
          names = 1
        else: return i if after.text in ("=", ";", "[", ",", "(", "{", ":") and (typed or names) else None
        i += 1
      elif t.text == "::" and self.tokens[i + 1].kind == "id": i += 2
      elif t.kind == "angle" and t.text == "<" and names: i = self.closing(i)
      elif t.text in ("*", "&", "&&") and (names or typed) and (t.spaced and not self.tokens[i + 1].spaced or self.tokens[i - 1].text in ("*", "&")): i += 1
      elif t.text == "(" and (names or typed) and self.tokens[i + 1].text in ("&", "*") and self.tokens[i + 2].kind == "id" and self.tokens[i + 3].text == ")":
        return i + 2
      else: return None
    return None

  def _simple(self, range_for=False):
    """A declaration or an expression statement, its semicolon included."""
    first, name = self.at, self._declares()
    if name is None:
      value = self.expression()
      if value.kind == "call" and self.slice(first, first + 1).isupper() and self.peek() != ";":  # a macro that is a whole statement
        return Node("expression", first, self.at, [value], value=value)
      self.take(";")
      return Node("expression", first, self.at, [value], value=value)
    head = self.words(first, name)
    constant = "constexpr" in head or "extern" in head
    kids, names, pointer_arrays, self.at = [], [], set(), name
    while True:
      pointer = self.tokens[self.at - 1].text in ("*", "&", "__restrict__", "(")
      while self.peek() in ("*", "&", "__restrict__"): self.at, pointer = self.at + 1, True
      # An array of pointers is an array; (*name)[] and (&name)[] are not.
      array_of_pointers = self.peek(1) == "[" and self.tokens[self.at - 1].text == "*" and self.tokens[self.at - 2].text != "("
      if array_of_pointers: pointer_arrays.add(self.peek())
      names.append((self.peek(), pointer and not array_of_pointers))
      self.at += 1
      if self.peek() == ")": self.at += 1
      while self.peek() == "[": self.at = self.closing(self.at)
      if range_for and self.peek() == ":":
        self.at += 1
        value = self.expression()
        return Node("range", first, self.at, [value], names=names)
      if self.peek() == "=":
        self.at += 1
        kids.append(self.expression(2))
      elif self.peek() in ("(", "{"): self.at = self.closing(self.at)
      if self.peek() != ",": break
      self.at += 1
    self.take(";")
    return Node("declaration", first, self.at, [] if constant else kids, names=names, pointer_arrays=pointer_arrays, constant=constant)

  # ---- expressions

  def expression(self, least=1):
    first = self.at
    left = self._unary()
    while True:
      t = self.tokens[self.at]
      if t.kind != "op": return left
      if t.text in BINARY and BINARY[t.text] >= least and BINARY[t.text] > 2:
        self.at += 1
        right = self.expression(BINARY[t.text] + 1)
        left = Node("binary", first, self.at, [left, right], op=t.text, left=left, right=right)
      elif t.text == "?" and least <= 2:
        self.at += 1
        yes = self.expression(2)
        self.take(":")
        no = self.expression(2)
        left = Node("ternary", first, self.at, [left, yes, no], condition=left, yes=yes, no=no)
      elif t.text in ASSIGN and least <= 2:
        self.at += 1
        right = self.expression(2)
        left = Node("assign", first, self.at, [left, right], op=t.text, left=left, right=right)
      elif t.text == "," and least <= 1:
        self.at += 1
        right = self.expression(2)
        left = Node("comma", first, self.at, [left, right])
      else: return left

  def _is_cast(self):
    """Does the parenthesis here hold a type?"""
    last = self.closing(self.at)
    inner = self.tokens[self.at + 1:last - 1]
    if not inner or inner[0].kind != "id" or not all(t.kind in ("id", "angle") or t.text in ("*", "&", "::", ",") for t in inner): return False
    word, after = inner[0].text, self.tokens[last]
    if word in TYPE_WORDS or word.endswith("_t"): return True
    if inner[-1].text == "*" or inner[-1].kind == "angle": return True
    return len(inner) == 1 and word[0].isupper() and not word.isupper() and (after.kind in ("id", "num") or after.text == "(")

  def _unary(self):
    first, t = self.at, self.tokens[self.at]
    if t.kind == "op" and t.text in ("!", "~", "-", "+", "*", "&", "++", "--"):
      self.at += 1
      operand = self._unary()
      return Node("prefix", first, self.at, [operand], op=t.text, operand=operand)
    if t.text == "(" and self._is_cast():
      self.at = self.closing(self.at)
      operand = self._unary()
      return Node("cast", first, self.at, [operand], operand=operand)
    if t.text == "sizeof":
      self.at += 1
      if self.peek() == "(": self.at = self.closing(self.at)
      else: self._unary()
      return Node("name", first, self.at)
    return self._postfix(first)

  def _list(self, close):
    kids = []
    while self.peek() != close:
      if self.peek() == "." and close == "}":  # .field = value
        self.at += 2
        self.take("=")
      kids.append(self.expression(2))
      if self.peek() == "...": self.at += 1
      if self.peek() == ",": self.at += 1
      elif self.peek() != close: raise ParseError(f"line {self.line(self.at)}: {self.peek()!r} in a list")
    self.at += 1
    return kids

  def _postfix(self, first):
    t = self.tokens[self.at]
    if t.kind == "num":
      self.at += 1
      node = Node("number", first, self.at)
    elif t.kind == "str":
      while self.kind() == "str": self.at += 1
      node = Node("string", first, self.at)
    elif t.text == "(":
      self.at += 1
      inner = self.expression()
      self.take(")")
      node = Node("paren", first, self.at, [inner], inner=inner)
    elif t.text == "{":
      self.at += 1
      node = Node("list", first, None, self._list("}"))
      node.last = self.at
    elif t.text == "[": node = self._lambda(first)
    elif t.kind == "id" or t.text == "::":
      node = self._name(first)
    else: raise ParseError(f"line {self.line(self.at)}: {t.text!r} where an expression was expected")
    while True:
      t = self.tokens[self.at]
      if t.kind != "op": return node
      if t.text == "(":
        self.at += 1
        args = self._list(")")
        node = Node("call", first, self.at, [node, *args], callee=node, args=args)
      elif t.text == "[":
        self.at += 1
        index = self.expression()
        self.take("]")
        node = Node("subscript", first, self.at, [node, index], base=node, index=index)
      elif t.text in (".", "->"):
        self.at += 1
        if self.peek() == "template": self.at += 1
        member = self._name(self.at)
        node = Node("member", first, self.at, [node], base=node, member=self.slice(member.first, member.last))
      elif t.text in ("++", "--"):
        self.at += 1
        node = Node("postfix", first, self.at, [node], op=t.text, operand=node)
      elif t.text == "{" and node.kind == "name" and not t.spaced:
        self.at += 1
        node = Node("list", first, None, [node, *self._list("}")])
        node.last = self.at
      else: return node

  def _name(self, first):
    if self.peek() == "::": self.at += 1
    while True:
      if self.peek() == "operator": raise ParseError(f"line {self.line(self.at)}: operator")
      if self.kind() != "id": raise ParseError(f"line {self.line(self.at)}: {self.peek()!r} where a name was expected")
      self.at += 1
      if self.kind() == "angle" and self.peek() == "<": self.at = self.closing(self.at)
      if self.peek() == "::":
        self.at += 1
        if self.peek() == "template": self.at += 1
      else: return Node("name", first, self.at)

  def _lambda(self, first):
    self.at = self.closing(self.at)
    if self.peek() == "(": self.at = self.closing(self.at)
    while self.peek() != "{":
      if self.peek() in (";", ""): raise ParseError(f"line {self.line(first)}: a lambda without a body")
      self.at += 1
    body = self._block()
    return Node("lambda", first, self.at, [body])


class Function:
  def __init__(self, name, device, constant):
    self.name, self.device, self.constant, self.kernel, self.body, self.parameters = name, device, constant, False, None, []


# ---- preprocessor conditions

def conditions(source, defined):
  """For each token of a source: is it compiled, when `defined` (name -> integer) holds? Takes the file's own #defines into
  `defined`."""
  out, stack = [], []
  for t in source.tokens:
    active = all(s[0] for s in stack)
    if t.kind == "pp":
      m = re.match(r"\s*#\s*(\w+)\s*((?:[^\n\\]|\\.|\\\n)*)", t.text)
      word, rest = m[1], re.sub(r"\\\n|//.*|/\*.*?\*/", " ", m[2]).strip()
      if word in ("if", "ifdef", "ifndef"):
        value = evaluate({"if": rest, "ifdef": f"defined({rest})", "ifndef": f"!defined({rest})"}[word], defined)
        stack.append([value, value])
      elif word == "elif" and stack:
        stack[-1][0] = not stack[-1][1] and evaluate(rest, defined)
        stack[-1][1] |= stack[-1][0]
      elif word == "else" and stack: stack[-1][0] = not stack[-1][1]
      elif word == "endif" and stack: stack.pop()
      elif word == "define" and active:
        d = re.match(r"(\w+)(?!\()\s*(\S*)$", rest)
        if d: defined[d[1]] = int(d[2], 0) if re.fullmatch(r"0[xX][\da-fA-F]+|\d+", d[2]) else defined.get(d[2], 1)
    out.append(active)
  return out


def evaluate(text, defined):
  text = re.sub(r"defined\s*\(?\s*(\w+)\s*\)?", lambda m: "1" if m[1] in defined else "0", text)
  text = re.sub(r"\b[A-Za-z_]\w*(\s*\([^()]*\))?", lambda m: str(defined.get(m[0], 0)), text)
  text = re.sub(r"(?<=\d)[uUlL]+", "", text).replace("&&", " and ").replace("||", " or ")
  text = re.sub(r"!(?!=)", " not ", text).replace("/", "//")
  try: return bool(eval(text, {"__builtins__": {}}))  # digits and operators alone
  except (SyntaxError, TypeError, ZeroDivisionError, NameError): return True
