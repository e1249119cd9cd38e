package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/zmqsafe/zmq-exit"
	root   = "../.."
)

// file is a Go file of the repository.
type file struct {
	path   string // from the root
	text   string
	syntax *ast.File
	fset   *token.FileSet
}

func (f file) isTest() bool         { return strings.HasSuffix(f.path, "_test.go") }
func (f file) dir() string          { return path.Dir(f.path) }
func (f file) line(p token.Pos) int { return f.fset.Position(p).Line }

func parse(path, text string) (file, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return file{path, text, syntax, fset}, err
}

// goFiles returns all Go files of the repository, those in testdata as well.
var goFiles = sync.OnceValues(func() ([]file, error) {
	var files []file
	tree := os.DirFS(root)
	return files, fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		text, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		f, err := parse(path, string(text))
		files = append(files, f)
		return err
	})
})

func mustGoFiles(t *testing.T) []file {
	t.Helper()
	files, err := goFiles()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// mustParse is for sources that a test makes up.
func mustParse(t *testing.T, path, text string) file {
	t.Helper()
	f, err := parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// report fails the test with what a rule found.
func report(t *testing.T, complaints []string) {
	t.Helper()
	for _, c := range complaints {
		t.Error(c)
	}
}

// wantComplaints compares what a rule found with one substring for each.
func wantComplaints(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d complaints, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("complaint %d is %q, want it to contain %q", i, got[i], want[i])
		}
	}
}
