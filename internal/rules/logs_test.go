package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"testing"
)

// logCalls are the methods and functions of log/slog, with the place of the
// message among their arguments.
var logCalls = map[string]int{
	"Debug": 0, "Info": 0, "Warn": 0, "Error": 0,
	"DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1,
	"Log": 2, "LogAttrs": 2,
}

// TestLogMessages wants constant messages, so that log lines can be grouped and
// alerted on. What differs from line to line goes into attributes.
func TestLogMessages(t *testing.T) {
	for _, dir := range []string{"zmqsafe", "shutdown", "internal/patience"} {
		files := slices.DeleteFunc(slices.Clone(mustGoFiles(t)), func(f file) bool { return f.dir() != dir || f.isTest() })
		if len(files) == 0 {
			t.Errorf("%s has no files", dir)
		}
		report(t, checkLogMessages(files))
	}
}

// checkLogMessages looks at the files of one package.
func checkLogMessages(files []file) (complaints []string) {
	constants := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						constants[name.Name] = true
					}
				}
			}
			return true
		})
	}
	for _, f := range files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || isOtherPackage(f, method.X) {
				return true
			}
			place, ok := logCalls[method.Sel.Name]
			if ok && len(call.Args) > place && !isConstant(call.Args[place], constants) {
				complaints = append(complaints, fmt.Sprintf("%s:%d: the message of %s is not a constant: give what differs as attributes; %s",
					f.path, f.line(call.Pos()), method.Sel.Name, seeContributing))
			}
			return true
		})
	}
	return complaints
}

// isOtherPackage is true of the name of a package that isn't log/slog.
func isOtherPackage(f file, e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && slices.ContainsFunc(f.syntax.Imports, func(spec *ast.ImportSpec) bool {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if imported == "log/slog" {
			return false
		}
		return spec.Name != nil && spec.Name.Name == name.Name || spec.Name == nil && path.Base(imported) == name.Name
	})
}

func isConstant(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.Ident:
		return constants[e.Name]
	case *ast.BinaryExpr:
		return isConstant(e.X, constants) && isConstant(e.Y, constants)
	default:
		return false
	}
}

func TestCheckLogMessages(t *testing.T) {
	f := mustParse(t, "p/a.go", `package p

import (
	log "log/slog"
	"example.com/zmq4"
	texts "example.com/other"
)

const lost = "socket lost"

func f() {
	const closed = "closed"
	slog.Info("bound", "endpoint", endpoint)
	logger.Warn(lost)
	s.c.logger.LogAttrs(ctx, level, "context "+closed)
	_ = err.Error()
	_, _ = zmq4.Error(e), texts.Error(e)
	slog.InfoContext(ctx, lost)
	log.Info(fmt.Sprintf("bound to %v", endpoint))
	logger().Warn("lost " + name)
	s.c.logger.Log(ctx, level, what)
	slog.ErrorContext(ctx, err.Error())
}
`)
	wantComplaints(t, checkLogMessages([]file{f}),
		"p/a.go:19: the message of Info", "p/a.go:20: the message of Warn", "p/a.go:21: the message of Log", "p/a.go:22: the message of ErrorContext")
}
