package zmqsafe

import (
	"go/types"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/api"
)

func load(t *testing.T, path string) *types.Package {
	t.Helper()
	pkg, err := api.Load(path)
	require.NoError(t, err)
	return pkg
}

// Every exported name of raw is here, with the same type and value.
func TestAPIIsComplete(t *testing.T) {
	var texts []string
	for _, d := range api.Compare(load(t, api.RawPath), load(t, api.GuardedPath)) {
		texts = append(texts, d.String())
	}
	assert.Empty(t, texts, "differences:\n%s", strings.Join(texts, "\n"))
}

// Each method of raw's Socket is in the table once, and the table has no others.
func TestTableIsComplete(t *testing.T) {
	unclassified, stale := api.CheckTable(load(t, api.RawPath))
	assert.Empty(t, unclassified, "methods of raw's Socket that aren't in the table, or are there twice")
	assert.Empty(t, stale, "methods in the table that raw's Socket doesn't have")
}

func TestGeneratedIsFresh(t *testing.T) {
	want, err := api.Generate(load(t, api.RawPath))
	require.NoError(t, err)
	got, err := os.ReadFile("options_generated.go")
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "options_generated.go is stale: run go generate ./zmqsafe")
}

// The values of raw's variables are raw's own: programs compare with them.
func TestVariables(t *testing.T) {
	ours := map[string][2]error{
		"ErrorContextClosed":         {zmq4.ErrorContextClosed, ErrorContextClosed},
		"ErrorSocketClosed":          {zmq4.ErrorSocketClosed, ErrorSocketClosed},
		"ErrorMoreExpected":          {zmq4.ErrorMoreExpected, ErrorMoreExpected},
		"ErrorNoSocket":              {zmq4.ErrorNoSocket, ErrorNoSocket},
		"ErrorNotImplemented405":     {zmq4.ErrorNotImplemented405, ErrorNotImplemented405},
		"ErrorNotImplemented41":      {zmq4.ErrorNotImplemented41, ErrorNotImplemented41},
		"ErrorNotImplemented42":      {zmq4.ErrorNotImplemented42, ErrorNotImplemented42},
		"ErrorNotImplementedWindows": {zmq4.ErrorNotImplementedWindows, ErrorNotImplementedWindows},
	}
	var theirs []string
	scope := load(t, api.RawPath).Scope()
	for _, name := range scope.Names() {
		if v, ok := scope.Lookup(name).(*types.Var); ok && v.Exported() {
			theirs = append(theirs, name)
		}
	}
	assert.ElementsMatch(t, theirs, slices.Collect(maps.Keys(ours)))
	for name, v := range ours {
		assert.True(t, v[0] == v[1], name)
	}
}
