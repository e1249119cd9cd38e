package api

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checked type-checks source as the package at path. It may import raw.
func checked(t *testing.T, path, source string, raw *types.Package) *types.Package {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "fake.go", source, 0)
	require.NoError(t, err)
	config := types.Config{Importer: fakes{raw, importer.Default()}}
	pkg, err := config.Check(path, files, []*ast.File{file}, nil)
	require.NoError(t, err)
	return pkg
}

type fakes struct {
	raw      *types.Package
	standard types.Importer
}

func (f fakes) Import(path string) (*types.Package, error) {
	if path == RawPath {
		return f.raw, nil
	}
	return f.standard.Import(path)
}

const fakeRaw = `package zmq4

type Errno uintptr
type Flag int
type Unguarded struct{ Data []byte }
type Context struct{ opened bool }
type Socket struct{ opened bool }
type Polled struct {
	Socket *Socket
	Events int
}
type Reactor struct {
	Verbose bool
}

const DONTWAIT = Flag(1)
const Limit = 7

var ErrorClosed error

func (s Socket) String() string { return "" }
func (s *Socket) Close() error { return nil }
func (s *Socket) Send(data string, flags Flag) (int, error) { return 0, nil }
func (s *Socket) SendMessage(parts ...interface{}) (total int, err error) { return 0, nil }
func (s *Socket) Context() (*Context, error) { return nil, nil }
func (s *Socket) unexported() {}
func NewSocket(t int) (*Socket, error) { return nil, nil }
func NewContext() (ctx *Context, err error) { return nil, nil }
func Handler(f func(s *Socket, m map[string][]*Socket, c chan *Socket) error) {}
`

func TestCompareFindsNothing(t *testing.T) {
	raw := checked(t, RawPath, fakeRaw, nil)
	same := checked(t, GuardedPath, `package zmqsafe

import "`+RawPath+`"

type Errno = zmq4.Errno
type Flag = zmq4.Flag
type Unguarded = zmq4.Unguarded
type Context struct{}
type Socket struct{ More int }
type Polled struct {
	Socket *Socket
	Events int
}
type Reactor struct { x int; Verbose bool }
type Option func()

const DONTWAIT = zmq4.DONTWAIT
const Limit = zmq4.Limit

var ErrorClosed = zmq4.ErrorClosed

func (s Socket) String() string { return "" }
func (s *Socket) Close() error { return nil }
func (s *Socket) Send(data string, flags Flag) (int, error) { return 0, nil }
func (s *Socket) SendMessage(parts ...any) (int, error) { return 0, nil }
func (s *Socket) Context() (*Context, error) { return nil, nil }
func (s *Socket) Beyond() {}
func NewSocket(t int) (*Socket, error) { return nil, nil }
func NewContext(options ...Option) (*Context, error) { return nil, nil }
func Handler(f func(s *Socket, m map[string][]*Socket, c chan *Socket) error) {}
`, raw)
	assert.Empty(t, Compare(raw, same))
}

func TestCompareFindsAll(t *testing.T) {
	raw := checked(t, RawPath, fakeRaw, nil)
	other := checked(t, GuardedPath, `package zmqsafe

import "`+RawPath+`"

type Errno uintptr
type Flag = zmq4.Errno
type Context = zmq4.Context
type Socket struct{}
type Polled struct {
	Socket *zmq4.Socket
}
type Reactor int

const DONTWAIT = 1
const Limit = 8

var ErrorClosed string

func (s *Socket) String() string { return "" }
func (s *Socket) Send(data []byte, flags Flag) (int, error) { return 0, nil }
func (s *Socket) SendMessage(parts []any) (int, error) { return 0, nil }
func (s *Socket) Context() (*zmq4.Context, error) { return nil, nil }
func (s *Socket) Close(a, b int) error { return nil }
func NewSocket(t int, more int) (*Socket, error) { return nil, nil }
var NewContext func() (*Context, error)
func Handler(f func(s *Socket, m map[string][]*zmq4.Socket, c chan *Socket) error) {}
`, raw)
	var found []string
	for _, d := range Compare(raw, other) {
		found = append(found, d.Name)
		t.Log(d)
	}
	assert.ElementsMatch(t, []string{
		"Errno", "Flag", "Unguarded", "Context", "Polled.Socket", "Polled.Events", "Reactor", "DONTWAIT", "Limit", "ErrorClosed",
		"Socket.String", "Socket.Send", "Socket.SendMessage", "Socket.Context", "Socket.Close", "NewSocket", "NewContext", "Handler",
	}, found)
}

// A new release of raw fails the tests, and so does one that has lost something.
func TestNewMethodIsFound(t *testing.T) {
	raw, err := Load(RawPath)
	require.NoError(t, err)
	unclassified, stale := CheckTable(raw)
	assert.Empty(t, unclassified)
	assert.Empty(t, stale)

	next := checked(t, RawPath, fakeRaw+"func (s *Socket) SetNews(value int) error { return nil }\n", nil)
	unclassified, stale = CheckTable(next)
	assert.Equal(t, []string{"SetNews"}, unclassified)
	assert.Contains(t, stale, "SetSndhwm")
	_, err = Generate(next)
	assert.ErrorContains(t, err, "no such method")

	guarded, err := Load(GuardedPath)
	require.NoError(t, err)
	assert.Contains(t, names(Compare(next, guarded)), "Socket.SetNews")
}

func names(differences []Difference) (names []string) {
	for _, d := range differences {
		names = append(names, d.Name)
	}
	return names
}

// What documentation and errors need is there for each option.
func TestTableIsWhole(t *testing.T) {
	raw, err := Load(RawPath)
	require.NoError(t, err)
	g := generator{raw: raw}
	for _, e := range Table {
		if e.Class != Forward {
			assert.NotEmpty(t, e.Methods)
			assert.Empty(t, e.Set+e.Get, "%v", e.Methods)
			continue
		}
		assert.Empty(t, e.Methods, e.Option)
		assert.NotEmpty(t, e.What, e.Set+e.Get)
		assert.NotEmpty(t, e.Option, e.Set+e.Get)
		if e.Set == "" {
			assert.Empty(t, e.Want, e.Get)
			continue
		}
		isDuration := g.name(g.method(e.Set).Params().At(0).Type()) == "time.Duration"
		assert.Equal(t, isDuration, e.Want == "", "%s: Want is for all but durations", e.Set)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	_, err := Load("github.com/pebbe/zmq4/nosuch")
	assert.ErrorContains(t, err, "nosuch")
}
