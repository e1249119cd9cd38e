package api

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const guardedPath = "github.com/zmqsafe/zmq-exit/zmqsafe"

// The package has every exported name of pebbe/zmq4, with the same type and
// value.
func TestAPIIsComplete(t *testing.T) {
	raw, err := Load(RawPath)
	require.NoError(t, err)
	guarded, err := Load(guardedPath)
	require.NoError(t, err)
	var texts []string
	for _, d := range compare(raw, guarded) {
		texts = append(texts, d.String())
	}
	assert.Empty(t, texts, "differences:\n%s", strings.Join(texts, "\n"))
}

// difference is something of raw that guarded lacks, or has differently.
type difference struct {
	Name string // "NewPoller", "Socket.Close", "Polled.Events"
	What string
}

func (d difference) String() string { return d.Name + ": " + d.What }

// own are the types that guarded defines itself. All others of raw must be
// aliases in guarded, so that values of one package are values of the other.
var own = []string{"Context", "Socket", "Poller", "Polled", "Reactor"}

// compare returns which of raw's exported names are missing in guarded or
// differ, sorted by name. Functions and methods must have the same types, so
// that they can be assigned wherever raw's can.
func compare(raw, guarded *types.Package) []difference {
	c := comparison{raw: raw, guarded: guarded}
	for _, name := range raw.Scope().Names() {
		if theirs := raw.Scope().Lookup(name); theirs.Exported() {
			c.object(name, theirs, guarded.Scope().Lookup(name))
		}
	}
	slices.SortStableFunc(c.found, func(a, b difference) int { return cmp.Compare(a.Name, b.Name) })
	return c.found
}

type comparison struct {
	raw, guarded *types.Package
	found        []difference
}

func (c *comparison) differ(name, format string, args ...any) {
	c.found = append(c.found, difference{name, fmt.Sprintf(format, args...)})
}

// object compares what a name means in both packages; ours is nil if it means
// nothing in guarded.
func (c *comparison) object(name string, theirs, ours types.Object) {
	if ours == nil {
		c.differ(name, "missing; raw has %s", describe(theirs))
		return
	}
	equal := false
	switch theirs := theirs.(type) {
	case *types.TypeName:
		if ours, ok := ours.(*types.TypeName); ok {
			c.typeName(name, theirs, ours)
			equal = true
		}
	case *types.Const:
		ours, ok := ours.(*types.Const)
		equal = ok && c.same(theirs.Type(), ours.Type()) && constant.Compare(theirs.Val(), token.EQL, ours.Val())
	case *types.Var:
		ours, ok := ours.(*types.Var)
		equal = ok && c.same(theirs.Type(), ours.Type())
	case *types.Func:
		ours, ok := ours.(*types.Func)
		equal = ok && c.same(theirs.Signature(), ours.Signature())
	}
	if !equal {
		c.differ(name, "is %s; raw has %s", describe(ours), describe(theirs))
	}
}

// typeName compares a type. An alias is raw's type; one of own must have the
// methods and exported fields of raw's.
func (c *comparison) typeName(name string, theirs, ours *types.TypeName) {
	same, isOwn := c.same(theirs.Type(), ours.Type()), slices.Contains(own, name)
	switch {
	case same && isOwn:
		c.methods(name, theirs.Type(), ours.Type())
		c.fields(name, theirs.Type(), ours)
	case isOwn:
		c.differ(name, "is %s; want a type of this package", describe(ours))
	case !same:
		c.differ(name, "is %s; want an alias of raw's", describe(ours))
	}
}

// methods compares the methods of the type and of pointers to it.
func (c *comparison) methods(name string, theirs, ours types.Type) {
	for method := range types.NewMethodSet(types.NewPointer(theirs)).Methods() {
		obj := method.Obj()
		if !obj.Exported() {
			continue
		}
		full := name + "." + obj.Name()
		found, _, _ := types.LookupFieldOrMethod(ours, true, c.guarded, obj.Name())
		c.object(full, obj, found)
		if c.ofValue(theirs, obj.Name()) && !c.ofValue(ours, obj.Name()) {
			c.differ(full, "missing for a value that isn't a pointer")
		}
	}
}

func (c *comparison) ofValue(t types.Type, method string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, false, c.guarded, method)
	return obj != nil
}

// fields compares the exported fields of a struct.
func (c *comparison) fields(name string, theirs types.Type, ours *types.TypeName) {
	structure, ok := theirs.Underlying().(*types.Struct)
	if !ok {
		return
	}
	if _, ok := ours.Type().Underlying().(*types.Struct); !ok {
		c.differ(name, "is %s; want a struct", describe(ours))
		return
	}
	for field := range structure.Fields() {
		if field.Exported() {
			found, _, _ := types.LookupFieldOrMethod(ours.Type(), true, c.guarded, field.Name())
			c.object(name+"."+field.Name(), field, found)
		}
	}
}

func (c *comparison) sameTuple(theirs, ours *types.Tuple) bool {
	return slices.EqualFunc(slices.Collect(theirs.Variables()), slices.Collect(ours.Variables()),
		func(t, o *types.Var) bool { return c.same(t.Type(), o.Type()) })
}

// same reports whether two types are the same when each of own in raw stands
// for the one in guarded.
func (c *comparison) same(theirs, ours types.Type) bool {
	theirs, ours = types.Unalias(theirs), types.Unalias(ours)
	switch t := theirs.(type) {
	case *types.Named:
		path, name := pathOf(t), t.Obj().Name()
		if path == c.raw.Path() && slices.Contains(own, name) {
			path = c.guarded.Path()
		}
		// The packages are loaded apart, so the same type is two objects.
		o, ok := ours.(*types.Named)
		return ok && name == o.Obj().Name() && path == pathOf(o)
	case *types.Pointer:
		o, ok := ours.(*types.Pointer)
		return ok && c.same(t.Elem(), o.Elem())
	case *types.Slice:
		o, ok := ours.(*types.Slice)
		return ok && c.same(t.Elem(), o.Elem())
	case *types.Map:
		o, ok := ours.(*types.Map)
		return ok && c.same(t.Key(), o.Key()) && c.same(t.Elem(), o.Elem())
	case *types.Chan:
		o, ok := ours.(*types.Chan)
		return ok && t.Dir() == o.Dir() && c.same(t.Elem(), o.Elem())
	case *types.Signature:
		o, ok := ours.(*types.Signature)
		return ok && t.Variadic() == o.Variadic() && c.sameTuple(t.Params(), o.Params()) && c.sameTuple(t.Results(), o.Results())
	}
	return types.Identical(theirs, ours)
}

// pathOf returns the path of the type's package, or nothing for a predeclared
// type such as error.
func pathOf(t *types.Named) string {
	if pkg := t.Obj().Pkg(); pkg != nil {
		return pkg.Path()
	}
	return ""
}

func describe(obj types.Object) string {
	s := types.ObjectString(obj, (*types.Package).Name)
	if c, ok := obj.(*types.Const); ok {
		s += " = " + c.Val().String()
	}
	return s
}

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
func Term() error { return nil }
func Handler(f func(s *Socket, m map[string][]*Socket, c chan *Socket) error) {}
`

func TestCompareFindsNothing(t *testing.T) {
	raw := checked(t, RawPath, fakeRaw, nil)
	same := checked(t, guardedPath, `package zmqsafe

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
func NewContext() (*Context, error) { return nil, nil }
func Term() error { return nil }
func NewContextWith(options ...Option) (*Context, error) { return nil, nil }
func Handler(f func(s *Socket, m map[string][]*Socket, c chan *Socket) error) {}
`, raw)
	assert.Empty(t, compare(raw, same))
}

func TestCompareFindsAll(t *testing.T) {
	raw := checked(t, RawPath, fakeRaw, nil)
	other := checked(t, guardedPath, `package zmqsafe

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
func Term(options ...func()) error { return nil }
func Handler(f func(s *Socket, m map[string][]*zmq4.Socket, c chan *Socket) error) {}
`, raw)
	var found []string
	for _, d := range compare(raw, other) {
		found = append(found, d.Name)
		t.Log(d)
	}
	assert.ElementsMatch(t, []string{
		"Errno", "Flag", "Unguarded", "Context", "Polled.Socket", "Polled.Events", "Reactor", "DONTWAIT", "Limit", "ErrorClosed",
		"Socket.String", "Socket.Send", "Socket.SendMessage", "Socket.Context", "Socket.Close", "NewSocket", "NewContext", "Term", "Handler",
	}, found)
}
