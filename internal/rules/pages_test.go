package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestEnglishOfPages(t *testing.T) {
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(pages) == 0 {
			t.Fatalf("%s: no pages (%v)", pattern, err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			report(t, checkEnglish(strings.TrimPrefix(page, root+"/"), 1, string(text)))
		}
	}
}

// TestReportInReadme compares the closing report in the README with the
// headings that reports have. The tables of commands are for scripts/tables.sh
// to check.
func TestReportInReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkHeadings("README.md", string(text), mustGoFiles(t)))
}

// checkHeadings wants every heading of zmqsafe's report, which are the strings
// that have tabs and no verbs, on a page.
func checkHeadings(page, text string, files []file) (complaints []string) {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	headings := 0
	for _, f := range files {
		if f.dir() != "zmqsafe" || f.isTest() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			heading, _ := strconv.Unquote(literal.Value)
			if !strings.Contains(heading, "\t") || strings.Contains(heading, "%") {
				return true
			}
			headings++
			if !slices.Contains(lines, strings.Join(strings.Fields(heading), " ")) {
				complaints = append(complaints, fmt.Sprintf("%s: the report there has no line with the headings %q of %s:%d",
					page, heading, f.path, f.line(literal.Pos())))
			}
			return true
		})
	}
	if headings == 0 {
		complaints = append(complaints, "zmqsafe has no headings of a report")
	}
	return complaints
}

func TestCheckHeadings(t *testing.T) {
	const page = "step   took\nwake   6µs\n"
	files := []file{mustParse(t, "zmqsafe/text.go", `package zmqsafe

func f() {
	g("step\ttook\n")
	g("socket\toutcome")
	g("%s\t%s")
}
`)}
	wantComplaints(t, checkHeadings("PAGE.md", page+"socket  outcome\n", files))
	wantComplaints(t, checkHeadings("PAGE.md", page, files), `PAGE.md: the report there has no line with the headings "socket\toutcome" of zmqsafe/text.go:5`)
	wantComplaints(t, checkHeadings("PAGE.md", page, nil), "zmqsafe has no headings")
}
