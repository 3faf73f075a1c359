# SPDX-License-Identifier: Apache-2.0
"""Mutants of GPU sources as schemata: each changed expression is compiled beside the one it stands for, and a number that
is set at run time picks it. So one module holds all mutants, and is compiled once.

A mutant is (name, file, line, kind, ...). Its name, file:function:kind:what was changed, survives edits elsewhere.
"""
import os, re, zlib
from . import parse
from .schema import GROUPS

PER_FILE = 1000  # numbers of a file begin at a multiple of this that its name decides, so that an edit of one renumbers no other

BARRIER = re.compile(r"(copy_wait|__syncthreads\w*|__syncwarp|wave_sync|__threadfence\w*|wait_for_previous|\w*barrier\w*|\w*fence\w*)$")
STRIDE = re.compile(r"(^|_)(stride|pitch|row|column|expert|offset|rows_per|row_bytes)$|stride$")
REDUCE = re.compile(r"(larger|smaller|larger_halves|fmaxf|fminf|max|min|trine_(max|min)\w*|\w+_(max|min))$")
EXCHANGE = re.compile(r"(other_half|__shfl\w*|__builtin_amdgcn_(mov_dpp|update_dpp|ds_swizzle|ds_bpermute|permlane\w*|readlane|readfirstlane))\b")
COLLECTIVE = re.compile(r"(team|block|wave|group_quant_team)_(max|min|sum|any|all|scan)\w*$")
MATRIX = re.compile(r"(mfma|wmma|mma_|_mma$|dot\d|multiply_add)")
ROUND = re.compile(r"(^|::|_)round(_\w+)?$")
TO_LOW = re.compile(r"(^|::)(pack|code|codes)$|f32_to_(bf16|f16|e4m3|e5m2|ue8m0)|to_i8")
# One lane, thread or block of those that hold the same.
ONE_LANE = re.compile(r"^!?[\w.]*leader$|^first_of_grid\(\)$|^(lane|[\w.]+\.lane|threadIdx\.x( % \w+)?|tid|blockIdx\.[xyz]) [!=]= 0$|^threadIdx\.x == \w+ % \w+$")
# A step over the elements of a round: of a block's threads, or of a tile.
MANY = re.compile(r"[*]|<<|threads$|^(depth|row_step\(\w+\))$")
# Times a power of two a product is exact: it needs no fma to be rounded once.
POWER_OF_TWO = re.compile(r"0x1p[-+]?\d+f|(0\.5|2\.0|4\.0)f")
# A number from which the largest is sought, or a key: at 1 it would lose against everything.
SOUGHT = re.compile(r"(^|[\s.*])(largest|amax|best|second|key)\b")
FLAG = re.compile(r"(^|\.|->|_)(truncate|each|accumulate|multiply|packed|ue8m0|renormalize|gated|interleaved|sigmoid)$")
CHOPPED = {"bf16": 13, "f16": 13, "pack": 13}  # low mantissa bits cut off before the rounding; fp8: 20

# Sums of bounded ops: whether a product is rounded before it is added is the row's affair.
BOUNDED = re.compile(r"gemm_|scaled_mm_|fused_moe_generic")

# Headers, or functions of one, that differ from one instantiation to the next: mutated in twins too (see TWINS in build.py).
EVERYWHERE = ("activation.h", "gemm_codes.h", "fused_moe_matrix.h:convert", "fused_moe_matrix.h:scale", "fused_moe_matrix.h:zero",
              "fused_moe_matrix.h:moe_matrix_result", "fused_moe_matrix.h:moe_activate_run")

def plain(text): return re.sub(r"\s+", " ", re.sub(r"//[^\n]*", "", text)).strip()


def is_integer(node, source): return node.kind == "number" and re.fullmatch(r"(0[xX][\da-fA-F]+|\d+)[uUlL]*", source.slice(node.first, node.last)) is not None


def is_zero(node, source): return node.kind == "number" and re.fullmatch(r"(0|0x0|0\.0*)[uUlLfF]*", source.slice(node.first, node.last)) is not None


class Maker:
  def __init__(self, path, text, base, skip, groups_only=False):
    self.path, self.source, self.base, self.skip, self.mutants, self.used = path, parse.Source(text), base, skip, [], {}
    self.groups_only = groups_only
    for f in self.source.functions:
      if f.constant or f.body is None or not f.device: continue
      self.here = os.path.basename(path) in EVERYWHERE or f"{os.path.basename(path)}:{f.name}" in EVERYWHERE
      self.function, self.locals, self.pointers, self.statement, self.holder, self.any_order, self.way = f, {}, set(), None, None, False, ""
      self.floats = {b if re.match(r"\w", b) else c for a, b, c in zip(f.parameters, f.parameters[1:], f.parameters[2:] + [""]) if a == "float"}
      self.visit(f.body)

  # ---- making

  def text(self, node): return self.source.slice(node.first, node.last)

  def make(self, node, kind, what, form, group=None):
    """One mutant: `form(number test, text with its own mutants, text without)` is what stands there instead."""
    if kind in ("stride", "index", "offset", "mask") and self.statement is not None and re.search(r"scale", self.text(node) + " " + self.target): kind = "scale"
    name = f"{os.path.basename(self.path)}:{self.function.name}:{kind}:{plain(what)[:110]}"
    self.used[name] = self.used.get(name, 0) + 1
    if self.used[name] > 1: name += f" #{self.used[name]}"
    number = self.base + len(self.mutants) + 1
    on = "trine_on_here" if self.here else "trine_on"
    test = f"{on}({number}, {GROUPS[group]})" if group else f"{on}({number})"
    mutant = {"name": name, "number": number, "file": self.path, "line": self.source.line(node.first), "kind": kind, "token": node.first, "here": self.here}
    if group: mutant["group"] = group
    self.mutants.append(mutant)
    if self.groups_only and not group: self.skip.add(name)
    if name in self.skip: return
    if self.holder is None: node.wraps.append(lambda inner, raw: form(test, inner, raw))
    else: self.holder.wraps.append(self.aside(node, form, test))

  def aside(self, node, form, test):
    """The mutant of a part as a second form of the whole (self.holder): an index into registers must stay a constant."""
    tokens, whole = self.source.tokens, self.holder
    begin, end = tokens[node.first].start, tokens[node.last - 1].end
    old = self.source.text[begin:end]
    new = self.source.text[tokens[whole.first].start:begin] + form("true", old, old) + self.source.text[end:tokens[whole.last - 1].end]
    return lambda inner, raw: f"({test} ? ({new}) : ({inner}))"

  def in_registers(self, node):
    """Is a subscript's base an array of the function's own, or a part of one?"""
    while node.kind in ("subscript", "member", "paren"): node = node.kids[0]
    if node.kind != "name": return False
    name = plain(self.text(node))
    if name in self.locals: return self.locals[name] is False
    words = self.function.parameters
    at = words.index(name) if name in words else -1
    return at >= 0 and words[at - 1] != "*" and (words[at - 1] == "&" or words[at + 1:at + 2] == ["["])

  def replace(self, node, kind, new, group=None, what=None):
    """Another expression in the place of one; `new` is made of unchanged text."""
    self.make(node, kind, what or f"{plain(self.text(node))} -> {plain(new)}", lambda on, inner, raw: f"({on} ? ({new}) : ({inner}))", group)

  def plus(self, node, kind):
    self.make(node, kind, f"{plain(self.text(node))} + 1", lambda on, inner, raw: f"({inner} + {on})")

  def not_zero(self, zero, statement, how):
    """A zero as another number."""
    other = "1" if is_integer(zero, self.source) else "3"  # 1 is neutral where it divides
    if SOUGHT.search(statement) and is_integer(zero, self.source):
      other = "0x7fffffff7fffffff" if "uint64_t" in statement else "0xffffffff" if "second" in statement else "0x7fffffff"  # two largest: keys of all bits
    self.make(zero, "zeroing", f"{plain(statement)} {how} {other}", lambda on, inner, raw: f"({inner} + {on} * {other}{'u' * (len(other) > 1)})")

  # ---- statements

  def visit(self, node, unrolled=()):
    kind = node.kind
    if kind in ("if", "for", "expression") and self.prefetches(node): return
    if kind in ("block", "switch"):
      for k in node.kids: self.visit(k) if k.kind != "name" else None
    elif kind == "if": self.if_statement(node)
    elif kind == "for": self.for_statement(node)
    elif kind in ("while", "do"):
      self.begin(node.condition)
      self.expression(node.condition)
      self.visit(node.body)
    elif kind == "return" and node.value is not None:
      self.begin(node.value)
      self.expression(node.value)
    elif kind == "expression": self.expression_statement(node)
    elif kind in ("declaration", "range"):
      shared = kind == "declaration" and "__shared__" in self.source.words(node.first, node.last)
      for name, pointer in node.names: self.locals[name] = pointer or shared
      if "float" in self.source.words(node.first, node.last)[:3]: self.floats |= {name for name, _ in node.names}
      self.pointers |= getattr(node, "pointer_arrays", set())
      for k in node.kids:
        self.begin(node)
        if is_zero(k, self.source):
          if not getattr(node, "induction", False): self.not_zero(k, self.text(node), "begins at")
        else: self.expression(k)
    elif kind in ("paren", "binary", "call", "member", "subscript", "prefix", "ternary", "cast", "name", "number", "lambda"):
      self.begin(node)
      self.expression(node)

  def begin(self, node):
    """What is visited next is part of this; `target` is where its value goes."""
    self.statement, self.target = node, ""
    if node.kind == "expression" and node.value.kind == "assign": self.target = self.text(node.value.left)
    if node.kind == "declaration": self.target = " ".join(n for n, _ in node.names)

  def if_statement(self, node):
    if not node.constant:
      self.begin(node.condition)
      condition = plain(self.text(node.condition))
      # What one lane stores for all, the others would mostly store alike.
      one_lane = node.other is None and ONE_LANE.search(condition) is not None
      self.way = self.marked_way(node)
      leaves = re.match(r"\{?\s*(return|continue)\b", self.text(node.then)) is not None
      # With each of the other parts left out, below, that does.
      parts_lane = node.other is None and any(ONE_LANE.search(p.strip()) for p in condition.split(" && ")) and " && " in condition
      if (not one_lane or leaves) and not parts_lane and self.way != "long": self.make(node.condition, "guard", f"if ({condition}) always", lambda on, inner, raw: f"{on} || ({inner})")
      if (not one_lane or not leaves) and self.way != "short": self.make(node.condition, "guard", f"if ({condition}) never", lambda on, inner, raw: f"!{on} && ({inner})")
      self.expression(node.condition, sole=True)
      self.way = ""
    outer, self.here = self.here, self.here or node.constant
    for k in (node.then, node.other):
      if k is not None: self.visit(k)
    self.here = outer

  def marked_way(self, node):
    """Of an `if` that a comment on its line marks: "short" where it chooses a shortcut, "long" where it leaves one, for the same
    bits. Mutants that take the long way always would only be slower."""
    begin = self.source.tokens[node.condition.first].start
    end = self.source.text.find("\n", self.source.tokens[node.condition.last - 1].end)
    comment = self.source.text[begin:end].partition("//")[2].strip()
    return "short" if comment.startswith("shortcut") else "long" if comment.startswith("the long way") else ""

  def for_statement(self, node):
    if node.init is not None:
      node.init.induction = True
      self.visit(node.init)
    name = start = None
    if node.init is not None and node.init.kind == "declaration" and len(node.init.names) == 1 and len(node.init.kids) == 1:
      name, start = node.init.names[0][0], self.text(node.init.kids[0])
    c, s = node.condition, node.step
    step = None
    if s is not None and name and s.kind in ("postfix", "prefix") and s.op == "++" and plain(self.text(s.operand)) == name: step = "1"
    if s is not None and name and s.kind == "assign" and s.op == "+=" and plain(self.text(s.left)) == name: step = self.text(s.right)
    head = plain(f"for ({self.text(c) if c is not None else ''}; {self.text(s) if s is not None else ''})")
    if node.unrolled:
      # The trip count must stay a constant: the body is left out instead.
      self.begin(node.body)
      guard = lambda test: lambda on, inner, raw: f"{{ if (!({on} && ({test}))) " + ("\n" if inner.lstrip().startswith("#") else "") + inner + " }"
      if self.fills(node.body) or self.first_values(node.body): name = None  # values that matter to none but the compiler
      if name: self.make(node.body, "bound", f"{head} without the first", guard(f"{name} == ({start})"))
      if name and step and c is not None and c.kind == "binary" and c.op == "<" and plain(self.text(c.left)) == name:
        self.make(node.body, "bound", f"{head} without the last", guard(f"{name} + ({step}) >= ({self.text(c.right)})"))
    else:
      if c is not None:
        self.begin(c)
        if name and step and c.kind == "binary" and c.op == "<" and plain(self.text(c.left)) == name:
          self.make(c, "bound", f"{head} without the last", lambda on, inner, raw: f"({on} ? {name} + ({step}) < ({self.text(c.right)}) : ({inner}))")
        # Where a round is of many elements its body tests each, so one too many finds none: one short is what tells.
        if name and step and MANY.search(step) and c.kind == "binary" and c.op == "<":
          self.expression(c.left)
          self.expression(c.right)
        else: self.expression(c)
      if step and s.kind == "assign":
        self.begin(s)
        self.make(s.right, "stride", f"{head} by twice the step", lambda on, inner, raw: f"({inner}) * (1 + {on})")
        self.expression(s.right)
    self.visit(node.body)

  def prefetches(self, node):
    """Does a statement do no more than fetch ahead into a cache?"""
    words = self.source.words(node.first, node.last)
    text = re.sub(r"for \([^;]*;[^;]*;[^)]*\)", "", " ".join(words))
    return "fetch_ahead" in words and not re.search(r" [-+|&^]?= |\+\+|\breturn\b|\b(begin|wait_for_previous) \(", text)

  def first_values(self, node):
    """Does a statement do no more than give local arrays of pointers their first values? Without one, anything may stand there."""
    if node.kind == "for": return self.first_values(node.body)
    if node.kind == "block": return all(map(self.first_values, node.kids))
    if node.kind != "expression" or node.value.kind != "assign" or node.value.op != "=": return False
    root = node.value.left
    while root.kind == "subscript": root = root.kids[0]
    return root.kind == "name" and plain(self.text(root)) in self.pointers

  def fills(self, node):
    """Does a statement put a literal into a local array?"""
    if node.kind != "expression" or node.value.kind != "assign" or node.value.op != "=" or node.value.right.kind != "number": return False
    return "." not in self.text(node.value.left) and self.in_registers(node.value.left)

  def expression_statement(self, node):
    value = node.value
    self.begin(node)
    drop = lambda on, inner, raw: f"{{ if (!{on}) {inner} }}"
    what = f"without {plain(self.text(node))}"
    if value.kind == "assign":
      root = value.left
      while root.kind in ("subscript", "member", "paren"): root = root.kids[0]
      local = root.kind == "name" and self.locals.get(self.text(root)) is False
      zero = is_zero(value.right, self.source)
      if zero: self.not_zero(value.right, self.text(node), "as")
      # A local that would be left without any value says nothing: compilers pick one that fits.
      if not (local and value.op == "=") and not self.fills(node): self.make(node, "zeroing" if zero else "store", what, drop)
    elif value.kind == "call":
      name = plain(self.text(value.callee))
      if BARRIER.search(name):
        self.make(node, "barrier", what, drop)
        if re.search(r"(__syncthreads|wait_for_previous)$", name): node.wraps.append(lambda inner, raw: f"{{ {inner} trine_mutant_late(); }}")
      elif not re.search(r"let_next_start|assume|prefetch|unreachable", name): self.make(node, "zeroing" if "zero" in name else "store", what, drop)
    if self.fills(node): return
    if not (value.kind == "call" and plain(self.text(value.callee)).isupper()): self.expression(value)  # a macro may do anything with its arguments

  # ---- expressions

  def expression(self, node, sole=False, lvalue=False, parent=None, written=None):
    """`sole`: the whole condition of an if. `lvalue`: what is assigned to, by the expression `written`."""
    kind = node.kind
    if kind == "binary": self.binary(node, sole)
    elif kind == "ternary": self.ternary(node)
    elif kind == "call": self.call(node)
    elif kind == "subscript":
      base = plain(self.text(node.base))
      if re.search(r"stride$", base):
        if not lvalue: self.plus(node, "stride")
        return
      if re.search(r"shape$", base): return
      outer, self.target = self.target, self.target + " " + base
      held, self.holder = self.holder, self.holder or ((written or node) if self.in_registers(node) else None)
      # All elements are cleared, or the largest of all is taken: which comes first says nothing.
      any_order = self.any_order and re.fullmatch(r"\w+|threadIdx\.x", plain(self.text(node.index)))
      if not any_order and not is_integer(node.index, self.source): self.make(node.index, "index", f"{plain(self.text(node))} of the neighbour", lambda on, inner, raw: f"({inner}) ^ {on}")
      self.expression(node.index)
      self.target, self.holder = outer, held
      self.expression(node.base, lvalue=lvalue, parent=node, written=written)
      return
    elif kind in ("member", "name"):
      last = node.member if kind == "member" else plain(self.text(node))
      if not lvalue and STRIDE.search(last) and (parent is None or parent.kind not in ("subscript", "member")): self.plus(node, "stride")
      elif not lvalue and last == "wave_width": self.replace(node, "lanes", "32", "assume-32-lanes")
      if kind == "member": self.expression(node.base, lvalue=lvalue, parent=node, written=written)
      return
    elif kind == "assign":
      self.any_order = node.op == "=" and node.right.kind == "number"
      self.expression(node.left, lvalue=True, written=node)
      self.any_order = False
      self.expression(node.right)
      return
    elif kind in ("prefix", "postfix"):
      lvalue = node.op in ("++", "--", "&")
      self.expression(node.operand, lvalue=lvalue, written=node if lvalue else None)
      return
    elif kind == "lambda":
      saved = self.statement, self.target
      self.visit(node.kids[0])
      self.statement, self.target = saved
      return
    elif kind in ("paren", "cast", "list", "comma"):
      for k in node.kids: self.expression(k)
      return

  def binary(self, node, sole):
    left, right, op = self.text(node.left), self.text(node.right), node.op
    short_left, short_right = plain(left), plain(right)
    if op in ("&&", "||"):
      if not ONE_LANE.search(short_left): self.make(node, "guard", f"{short_left} {op} {short_right} without the first", lambda on, inner, raw: f"({on} ? !!({right}) : ({inner}))")
      if not ONE_LANE.search(short_right): self.make(node, "guard", f"{short_left} {op} {short_right} without the second", lambda on, inner, raw: f"({on} ? !!({left}) : ({inner}))")
    elif op in ("<", "<=", ">", ">="):
      if (self.way == "short" and op in ("<=", ">=")) or (self.way == "long" and op in ("<", ">")): pass
      # At a float's boundary both sides mostly agree: the test is turned round instead.
      elif re.search(r"\d\.\d*f?\b|\beps\b|amax|[fF]loor\b", left + " " + right): self.replace(node, "bound", f"!({left} {op} {right})")
      else: self.replace(node, "bound", f"{left} {'<=' if op == '<' else '<' if op == '<=' else '>=' if op == '>' else '>'} {right}")
    elif op in ("==", "!=") and not sole and ("blockIdx" in left or not ONE_LANE.search(plain(self.text(node)))): self.replace(node, "guard", f"{left} {'!=' if op == '==' else '=='} {right}")
    elif op in ("+", "-") and is_integer(node.right, self.source): self.replace(node, "offset", left)
    elif op in ("+", "-"):
      self.replace(node, "sign", f"{left} {'-' if op == '+' else '+'} {right}")
    elif op in ("+",) and is_integer(node.left, self.source): self.replace(node, "offset", right)
    elif op in (">>", "<<") and is_integer(node.right, self.source):
      # A shift by the width itself is undefined.
      self.replace(node, "mask", f"{left} {op} ({right} {'-' if re.match(r'(31|63)[uUlL]*$', short_right) else '+'} 1)")
    elif op == "&" and (is_integer(node.right, self.source) or re.search(r"mask", right)): self.replace(node, "mask", left)
    elif op == "%": self.replace(node, "index", left)
    elif op == "/" and is_integer(node.right, self.source): self.replace(node, "index", f"{left} / {right} + 1")
    self.expression(node.left)
    self.expression(node.right)

  def ternary(self, node):
    c, yes, no = (plain(self.text(k)) for k in (node.condition, node.yes, node.no))
    inner = node.condition
    while inner.kind == "paren": inner = inner.inner
    extreme = inner.kind == "binary" and inner.op in ("<", ">", "<=", ">=") and sorted((plain(self.text(inner.left)), plain(self.text(inner.right)))) == sorted((yes, no))
    self.make(node.condition, "reduce" if extreme else "guard", f"{c} ? {yes} : {no} the other way", lambda on, inner, raw: f"({on} != !!({inner}))")
    if extreme:  # at equality both sides are the same
      for k in inner.kids: self.expression(k)
    else: self.expression(node.condition, sole=True)
    self.expression(node.yes)
    self.expression(node.no)

  def call(self, node):
    name = plain(self.text(node.callee))
    args = [self.text(a) for a in node.args]
    bare = re.sub(r"<.*>", "", name)
    if self.statement is not None and self.statement.kind == "expression" and self.statement.value is node: pass  # no value that is used
    elif EXCHANGE.search(name) and args:
      data = args[1] if name.startswith("__shfl") and len(args) > 1 else args[-1] if "update_dpp" in name and len(args) < 3 else args[0]
      self.replace(node, "lanes", f"(__typeof__({self.text(node)}))({data})", what=f"{plain(self.text(node))} not exchanged")
      if name.startswith("__shfl") and len(node.args) > 2:
        self.make(node.args[2], "lanes", f"{plain(self.text(node))} of another lane", lambda on, inner, raw: f"({inner}) ^ (2 * {on})")
    elif "ballot_w64" in name: self.replace(node, "lanes", f"{self.text(node)} & 0xffffffffu", "assume-32-lanes")
    elif COLLECTIVE.search(bare) and args: self.replace(node, "lanes", f"(__typeof__({self.text(node)}))({args[0]})", what=f"{plain(self.text(node))} of one lane alone")
    elif REDUCE.search(bare) and len(args) == 2:
      other = "lanes" if EXCHANGE.search(args[1]) else "reduce"
      self.replace(node, other, f"(__typeof__({self.text(node)}))({args[0]})", what=f"{plain(self.text(node))} of the first alone")
    elif re.search(r"fmaf?$", name) and len(args) == 3:
      if not BOUNDED.match(os.path.basename(self.path)) and not any(POWER_OF_TWO.fullmatch(x) for x in args[:2]): self.replace(node, "rounding", f"{args[0]} * {args[1]} + {args[2]}")
    elif MATRIX.search(name) and len(args) >= 3: self.replace(node, "reduce", f"(__typeof__({self.text(node)}))({args[2]})", what=f"{plain(self.text(node))} without the product")
    elif re.search(r"clamp\w*$", bare) and args: self.replace(node, "bound", args[0], what=f"{plain(self.text(node))} not clamped")
    elif ROUND.search(bare) and args: self.replace(node, "rounding", args[0], what=f"{plain(self.text(node))} not rounded")
    elif TO_LOW.search(bare) and args and re.search(r"nearest|truncate", name):
      other = name.replace("nearest", "TRUNCATE").replace("truncate", "nearest").replace("TRUNCATE", "truncate")
      self.replace(node, "rounding", f"{other}({', '.join(args)})")
    elif TO_LOW.search(bare) and args:
      bits = next((b for key, b in CHOPPED.items() if re.search(key + r"$", bare)), 20)
      for i, a in enumerate(node.args[:1 if bits == 20 else None]):
        if args[i] in ("true", "false") or FLAG.search(args[i]) or is_zero(a, self.source): continue
        self.make(a, "rounding", f"{plain(self.text(node))} of argument {i + 1} cut short", lambda on, inner, raw, bits=bits: f"trine_mutant_chop({inner}, {bits} * {on})")
        break
    if re.search(r"e4m3fn", name):
      other = re.sub(r"e4m3fn(uz)?\b|e4m3fn(uz)?(?=_)", lambda m: "e4m3fn" if "uz" in m[0] else "e4m3fnuz", self.text(node.callee))
      self.replace(node, "encoding", f"{other}({', '.join(args)})")
    held, self.any_order = self.any_order, REDUCE.search(bare) is not None
    for a in node.args:
      if FLAG.search(plain(self.text(a))) and a.kind in ("name", "member"): self.replace(a, "flag", f"!{self.text(a)}")
      else: self.expression(a)
    self.any_order = held
    if node.callee.kind == "member": self.expression(node.callee.base, parent=node.callee)

  # ---- writing

  def render(self, node):
    source, out, at = self.source, [], None
    spans = sorted((k for k in node.kids), key=lambda k: k.first)
    position = source.tokens[node.first].start
    for k in spans:
      begin = source.tokens[k.first].start
      out.append(source.text[position:begin])
      out.append(self.render(k))
      position = source.tokens[k.last - 1].end
    out.append(source.text[position:source.tokens[node.last - 1].end])
    text = raw = "".join(out)
    for wrap in node.wraps: text = wrap(text, raw)
    return text

  def written(self):
    source, out, position = self.source, [], 0
    for f in sorted(source.functions, key=lambda f: f.begin):
      if f.body is None: continue
      begin = source.tokens[f.body.first].start
      if begin < position: continue
      out.append(source.text[position:begin])
      body = self.render(f.body)
      out.append("{ trine_mutant_late(); " + body[1:] if f.kernel else body)
      position = source.tokens[f.body.last - 1].end
    out.append(source.text[position:])
    text = "".join(out)
    if not self.mutants: return source.text
    return re.sub(r"^(#include|#ifndef|#define \w+_H\n)", r'#include "backends/gpu/mutant.h"' + "\n" + r"\1", text, count=1, flags=re.M)


def environments():
  """Target -> what its preprocessor defines, as far as GPU sources ask."""
  out = {}
  for sm in (75, 80, 86, 87, 89, 90, 100, 103, 110, 120, 121):
    for suffix in ("", "a", "f"): out[f"sm_{sm}{suffix}"] = {"__CUDACC__": 1, "__CUDA_ARCH__": sm * 10, **({f"__CUDA_ARCH_FEAT_SM{sm}_ALL": 1} if suffix else {})}
  for gfx in ("gfx908", "gfx90a", "gfx942", "gfx950", "gfx1030", "gfx1100", "gfx1101", "gfx1102", "gfx1103", "gfx1150", "gfx1151", "gfx1200", "gfx1201"):
    family = {3: "9", 4: gfx[3:5]}[len(gfx[3:])]
    out[gfx] = {"__HIP__": 1, "__HIP_DEVICE_COMPILE__": 1, f"__{gfx}__": 1, f"__GFX{family}__": 1, "__clang__": 1,
                "__AMDGCN_WAVEFRONT_SIZE": 64 if family == "9" else 32}
  return out


def compiled(root, files, target):
  """Which of `files` the compiler sees for a target: the sources of its vendor and what they include, conditions obeyed."""
  vendor, out = "cuda" if target.startswith("sm_") else "hip", set()
  pending = [f for f in files if f.endswith((".cu", ".hip")) and f.split("/")[1] in ("gpu", vendor)]
  while pending:
    path = pending.pop()
    if path in out or path not in files: continue
    out.add(path)
    with open(os.path.join(root, path)) as f: source = parse.Source(f.read())
    for token, active in zip(source.tokens, parse.conditions(source, dict(environments()[target]))):
      m = re.match(r'\s*#\s*include\s+"([^"]+)"', token.text) if token.kind == "pp" and active else None
      if m: pending.append(m[1])
  return out


def generate(root, files, targets, skip=(), groups_only=False):
  """({path: new text}, [mutant], [what was not parsed]) of `files` (paths below root, in a fixed order)."""
  texts, mutants, unparsed, bases = {}, [], [], set()
  seen = {t: compiled(root, files, t) for t in targets}
  for path in files:
    base = zlib.crc32(path.encode()) % 2000000
    while base in bases or base == 0: base += 1
    bases.add(base)
    with open(os.path.join(root, path)) as f: text = f.read()
    maker = Maker(path, text, base * PER_FILE, set(skip), groups_only)
    texts[path] = maker.written()
    unparsed += [f"{path}: {e}" for e in maker.source.unparsed]
    if len(maker.mutants) >= PER_FILE: raise SystemExit(f"ci/mutate: {path} has more than {PER_FILE} mutants")
    active = {t: parse.conditions(maker.source, dict(environments()[t])) for t in targets}
    for m in maker.mutants:
      token = m.pop("token")
      m["targets"] = [t for t in targets if path in seen[t] and active[t][token]]
      # No change where waves have 32 lanes.
      if m.get("group") == "assume-32-lanes": m["targets"] = [t for t in m["targets"] if environments()[t].get("__AMDGCN_WAVEFRONT_SIZE") == 64]
    mutants += [m for m in maker.mutants if m["name"] not in maker.skip]
  return texts, mutants, unparsed
