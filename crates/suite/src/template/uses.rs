//! The filters, tests and functions that a template uses, and the expressions that it writes, as the engine's own parser
//! reads them. A render shows only what is reached: not what stands in a branch that is not taken.

use minijinja::machinery::ast::{CallArg, Expr, Stmt};
use minijinja::machinery::parse;
use minijinja::syntax::SyntaxConfig;

/// What is called by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    Filter,
    Test,
    Function,
}

/// One use of a filter, a test or a function.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Use<'t> {
    pub(super) callee: Callee,
    pub(super) name: &'t str,
    pub(super) arguments: Arguments,
}

/// The arguments of a call, without the value that a filter or a test is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    /// That many, by their places.
    Positional(usize),
    /// One or more by their names.
    Named,
    /// As many as a list or a map has.
    Unknown,
}

/// What stands in a template.
#[derive(Debug, Default)]
pub(super) struct Parts<'t> {
    pub(super) uses: Vec<Use<'t>>,
    /// The expressions whose values become a part of the text.
    pub(super) written: Vec<&'t str>,
    /// The texts between them.
    pub(super) literals: Vec<&'t str>,
}

impl<'t> Parts<'t> {
    /// The parts of a template; none of one that cannot be read.
    pub(super) fn of(text: &'t str) -> Self {
        let mut parts = Self::default();
        if let Ok(template) = parse(text, "", SyntaxConfig::default()) {
            parts.add_statement(text, &template);
        }
        parts
    }

    fn add_statement(&mut self, text: &'t str, statement: &Stmt<'t>) {
        if let Stmt::EmitExpr(emitted) = statement {
            let span = emitted.span();
            let (start, end) = (span.start_offset as usize, span.end_offset as usize);
            self.written.extend(text.get(start..end));
        }
        if let Stmt::EmitRaw(literal) = statement {
            self.literals.push(literal.raw);
        }
        let (expressions, statements) = inside(statement);
        for one in expressions {
            self.add(one);
        }
        for one in statements.into_iter().flatten() {
            self.add_statement(text, one);
        }
    }

    fn add(&mut self, expression: &Expr<'t>) {
        self.uses.extend(used(expression));
        for child in children(expression) {
            self.add(child);
        }
    }
}

/// What the expression itself uses.
fn used<'t>(expression: &Expr<'t>) -> Option<Use<'t>> {
    let (callee, name, arguments) = match expression {
        Expr::Filter(filter) => (Callee::Filter, filter.name, &filter.args),
        Expr::Test(test) => (Callee::Test, test.name, &test.args),
        Expr::Call(call) => {
            let Expr::Var(name) = &call.expr else {
                return None;
            };
            (Callee::Function, name.id, &call.args)
        }
        _ => return None,
    };
    Some(Use {
        callee,
        name,
        arguments: Arguments::of(arguments),
    })
}

impl Arguments {
    fn of(arguments: &[CallArg<'_>]) -> Self {
        let is_splat =
            |one: &CallArg<'_>| matches!(one, CallArg::PosSplat(_) | CallArg::KwargSplat(_));
        if arguments.iter().any(is_splat) {
            Self::Unknown
        } else if arguments
            .iter()
            .any(|one| matches!(one, CallArg::Kwarg(..)))
        {
            Self::Named
        } else {
            Self::Positional(arguments.len())
        }
    }
}

/// The expressions and the statements that stand directly in a statement.
fn inside<'s, 't>(statement: &'s Stmt<'t>) -> (Vec<&'s Expr<'t>>, Vec<&'s [Stmt<'t>]>) {
    match statement {
        Stmt::Template(template) => (vec![], vec![&template.children]),
        Stmt::EmitExpr(emitted) => (vec![&emitted.expr], vec![]),
        Stmt::ForLoop(each) => {
            let filter = each.filter_expr.iter();
            let expressions = std::iter::once(&each.iter).chain(filter).collect();
            (expressions, vec![&each.body, &each.else_body])
        }
        Stmt::IfCond(condition) => (
            vec![&condition.expr],
            vec![&condition.true_body, &condition.false_body],
        ),
        Stmt::WithBlock(with) => {
            let values = with.assignments.iter().map(|(_, value)| value);
            (values.collect(), vec![&with.body])
        }
        Stmt::Set(set) => (vec![&set.expr], vec![]),
        Stmt::SetBlock(set) => (set.filter.iter().collect(), vec![&set.body]),
        Stmt::AutoEscape(escape) => (vec![&escape.enabled], vec![&escape.body]),
        Stmt::FilterBlock(filter) => (vec![&filter.filter], vec![&filter.body]),
        Stmt::Block(block) => (vec![], vec![&block.body]),
        Stmt::Macro(one) => (one.defaults.iter().collect(), vec![&one.body]),
        Stmt::CallBlock(block) => {
            let called = std::iter::once(&block.call.expr);
            let arguments = block.call.args.iter().map(value);
            let expressions = called.chain(arguments).collect();
            (expressions, vec![&block.macro_decl.body])
        }
        Stmt::Do(one) => {
            let called = std::iter::once(&one.call.expr);
            let arguments = one.call.args.iter().map(value);
            (called.chain(arguments).collect(), vec![])
        }
        // No suite can include another template, and a text has nothing that is called.
        _ => (vec![], vec![]),
    }
}

/// The expressions that stand directly in an expression.
fn children<'s, 't>(expression: &'s Expr<'t>) -> Vec<&'s Expr<'t>> {
    match expression {
        Expr::Var(_) | Expr::Const(_) => vec![],
        Expr::Slice(slice) => {
            let ends = [&slice.start, &slice.stop, &slice.step].into_iter();
            std::iter::once(&slice.expr).chain(ends.flatten()).collect()
        }
        Expr::UnaryOp(operation) => vec![&operation.expr],
        Expr::BinOp(operation) => vec![&operation.left, &operation.right],
        Expr::Compare(compared) => {
            let others = compared.ops.iter().map(|other| &other.expr);
            std::iter::once(&compared.expr).chain(others).collect()
        }
        Expr::IfExpr(choice) => {
            let both = [&choice.test_expr, &choice.true_expr];
            both.into_iter().chain(&choice.false_expr).collect()
        }
        Expr::Filter(filter) => {
            let arguments = filter.args.iter().map(value);
            filter.expr.iter().chain(arguments).collect()
        }
        Expr::Test(test) => {
            let arguments = test.args.iter().map(value);
            std::iter::once(&test.expr).chain(arguments).collect()
        }
        Expr::GetAttr(attribute) => vec![&attribute.expr],
        Expr::GetItem(item) => vec![&item.expr, &item.subscript_expr],
        Expr::Call(call) => {
            let arguments = call.args.iter().map(value);
            std::iter::once(&call.expr).chain(arguments).collect()
        }
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    }
}

fn value<'s, 't>(argument: &'s CallArg<'t>) -> &'s Expr<'t> {
    match argument {
        CallArg::Pos(value)
        | CallArg::Kwarg(_, value)
        | CallArg::PosSplat(value)
        | CallArg::KwargSplat(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used_in(text: &str) -> Vec<String> {
        let parts = Parts::of(text);
        let uses = parts.uses.iter();
        uses.map(|one| format!("{:?} {} {:?}", one.callee, one.name, one.arguments))
            .collect()
    }

    #[test]
    fn uses_are_found_wherever_they_stand() {
        let text = "{% for a in b|sort if a is odd %}{% if false %}{{ {'k': [a|first(2)]}['k'] }}{% else %}\
                    {{ f(*b) ~ g(x=1) }}{% endif %}{% endfor %}{% filter upper %}x{% endfilter %}\
                    {% set c | lower %}x{% endset %}{% set d = e | mask(1, h(2)) %}";
        assert_eq!(
            used_in(text),
            [
                "Filter sort Positional(0)",
                "Test odd Positional(0)",
                "Filter first Positional(1)",
                "Function f Unknown",
                "Function g Named",
                "Filter upper Positional(0)",
                "Filter lower Positional(0)",
                "Filter mask Positional(2)",
                "Function h Positional(1)",
            ]
        );
        assert!(used_in("a | b, {{ 'c | d(1)' }} and {# e | f #}").is_empty());
    }

    #[test]
    fn what_is_written_is_known_by_its_text() {
        let parts = Parts::of("/a/{{ x.y }}/{% if z %}{{- (w) | lower -}}{% endif %}");
        assert_eq!(parts.written, ["x.y", "(w) | lower"]);
        assert_eq!(parts.literals, ["/a/", "/"]);
    }
}
