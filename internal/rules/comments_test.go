package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is the width of a comment on lines of its own, a tab being 4.
const maxColumns = 80

// habits are phrases that make English read as a translation, with what to
// write instead. Only those stand here that are hardly ever right.
var habits = []struct{ phrase, instead string }{
	{"all the same", "anyway"},
	{"by now", "nothing, or already"},
	{"counts for", "applies to"},
	{"is to be told", "must be notified"},
	{"for people to read", "human-readable"},
	{"the package's own", "internal"},
	{"what came of it", "the result"},
	{"whom its end woke", "the calls that its close ended"},
	{"you are right here", "you are in the right place"},
}

var aHabit = regexp.MustCompile(`(?i)\b(` + anyHabit() + `)\b`)

// anyHabit matches a phrase that goes on in the next line, too.
func anyHabit() string {
	var phrases []string
	for _, h := range habits {
		phrases = append(phrases, strings.ReplaceAll(h.phrase, " ", `(?:\s|//)+`))
	}
	return strings.Join(phrases, "|")
}

func TestComments(t *testing.T) {
	for _, f := range mustGoFiles(t) {
		report(t, checkWidth(f))
		for _, group := range f.syntax.Comments {
			from, to := f.fset.Position(group.Pos()).Offset, f.fset.Position(group.End()).Offset
			report(t, checkEnglish(f.path, f.line(group.Pos()), f.text[from:to]))
		}
	}
}

func checkEnglish(path string, line int, text string) (complaints []string) {
	for _, at := range aHabit.FindAllStringIndex(text, -1) {
		found := strings.Join(strings.Fields(strings.ReplaceAll(text[at[0]:at[1]], "//", " ")), " ")
		for _, h := range habits {
			if strings.EqualFold(found, h.phrase) {
				complaints = append(complaints, fmt.Sprintf("%s:%d: %q: write %s; %s",
					path, line+strings.Count(text[:at[0]], "\n"), found, h.instead, seeContributing))
			}
		}
	}
	return complaints
}

// directive is a comment for a tool, which may be as long as it must.
var directive = regexp.MustCompile(`^//([a-z0-9]+:[a-z0-9]|export |line )`)

// checkWidth leaves out comments behind code, C above import "C", the expected
// output of examples, directives, URLs, and preformatted lines, which begin
// with a tab.
func checkWidth(f file) (complaints []string) {
	lines := strings.Split(f.text, "\n")
	c := preambles(f.syntax)
	for _, group := range f.syntax.Comments {
		if c[group] || isOutput(group) {
			continue
		}
		from, to := f.line(group.Pos()), f.line(group.End())
		for n := from; n <= to; n++ {
			text := strings.TrimSpace(lines[n-1])
			if n == from && f.fset.Position(group.Pos()).Column > len(lines[n-1])-len(strings.TrimLeft(lines[n-1], "\t"))+1 {
				continue // behind code
			}
			if directive.MatchString(text) || strings.Contains(text, "://") || strings.HasPrefix(text, "//\t") {
				continue
			}
			if width := columns(lines[n-1]); width > maxColumns {
				complaints = append(complaints, fmt.Sprintf("%s:%d: a comment of %d columns, the limit is %d: %s",
					f.path, n, width, maxColumns, seeContributing))
			}
		}
	}
	return complaints
}

func columns(line string) int { return utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")) }

// preambles are the comments that are C.
func preambles(syntax *ast.File) map[*ast.CommentGroup]bool {
	found := map[*ast.CommentGroup]bool{}
	for _, d := range syntax.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.IMPORT && len(d.Specs) == 1 {
			if spec := d.Specs[0].(*ast.ImportSpec); spec.Path.Value == `"C"` {
				found[d.Doc] = true
			}
		}
	}
	return found
}

var output = regexp.MustCompile(`(?i)^//\s*(unordered )?output:`)

func isOutput(group *ast.CommentGroup) bool { return output.MatchString(group.List[0].Text) }

func TestCheckEnglish(t *testing.T) {
	text := "// It Counts for\n\t// sockets, and by now\n// what came of it is small by nowadays' measure."
	wantComplaints(t, checkEnglish("p/a.go", 7, text),
		`p/a.go:7: "Counts for": write applies to`, `p/a.go:8: "by now"`, `p/a.go:9: "what came of it": write the result`)
}

func TestCheckWidth(t *testing.T) {
	wide := strings.Repeat("w", 76)
	fits, over := "// "+wide+".", "// "+wide+".."
	tests := []struct {
		name, text string
		want       int // complaints
	}{
		{"80 columns", fits, 0},
		{"81 columns", over, 1},
		{"runes are columns", "// " + strings.Repeat("ü", 77), 0},
		{"a tab is 4 columns", "func f() {\n\t" + fits + "\n\tg()\n}", 1},
		{"each line", "// short\n" + over + "\n" + over, 2},
		{"between slashes and stars", "/*\n" + wide + wide + "\n*/", 1},
		{"behind code", "var x int " + over, 0},
		{"in a function behind code", "func f() {\n\tg() " + over + "\n}", 0},
		{"a URL", "// https://" + wide, 0},
		{"directives", "//go:embed " + wide + "\nvar x int\n\n//lint:ignore U1000 " + wide + "\nvar y int", 0},
		{"preformatted", "//\t" + wide + wide, 0},
		{"C", "/*\n#cgo LDFLAGS: " + wide + "\n*/\nimport \"C\"", 0},
		{"another import", over + "\nimport \"fmt\"", 1},
		{"the output of an example", "func Example() {\n\tg()\n\t// Output:\n\t" + fits + "\n}", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := checkWidth(mustParse(t, "a.go", "package p\n\n"+test.text+"\n"))
			if len(got) != test.want {
				t.Errorf("got %q, want %d complaints", got, test.want)
			}
		})
	}
}
