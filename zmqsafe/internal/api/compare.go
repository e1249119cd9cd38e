package api

import (
	"cmp"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// Difference is something of raw that guarded hasn't, or has otherwise.
type Difference struct {
	Name string // "NewPoller", "Socket.Close", "Polled.Events"
	What string
}

func (d Difference) String() string { return d.Name + ": " + d.What }

// Own are the types that guarded makes anew. All others of raw have to be aliases
// in guarded, so that values of one package are values of the other.
var Own = []string{"Context", "Socket", "Poller", "Polled", "Reactor"}

// Compare returns what of raw's exported names is missing in guarded or differs,
// sorted by name. Guarded's functions and methods may take one variadic parameter
// more.
func Compare(raw, guarded *types.Package) []Difference {
	c := comparison{raw: raw, guarded: guarded}
	for _, name := range raw.Scope().Names() {
		if theirs := raw.Scope().Lookup(name); theirs.Exported() {
			c.object(name, theirs, guarded.Scope().Lookup(name))
		}
	}
	slices.SortStableFunc(c.found, func(a, b Difference) int { return cmp.Compare(a.Name, b.Name) })
	return c.found
}

type comparison struct {
	raw, guarded *types.Package
	found        []Difference
}

func (c *comparison) differ(name, format string, args ...any) {
	c.found = append(c.found, Difference{name, fmt.Sprintf(format, args...)})
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
		equal = ok && c.callable(theirs.Signature(), ours.Signature())
	}
	if !equal {
		c.differ(name, "is %s; raw has %s", describe(ours), describe(theirs))
	}
}

// typeName compares a type. An alias is as raw's by nature; one of Own has to have
// raw's methods and exported fields.
func (c *comparison) typeName(name string, theirs, ours *types.TypeName) {
	own := slices.Contains(Own, name)
	switch {
	case c.same(theirs.Type(), ours.Type()) && own:
		c.methods(name, theirs, ours)
		c.fields(name, theirs, ours)
	case c.same(theirs.Type(), ours.Type()):
	case own:
		c.differ(name, "is %s; want a type of this package", describe(ours))
	default:
		c.differ(name, "is %s; want an alias of raw's", describe(ours))
	}
}

// methods compares the methods of the type and of pointers to it.
func (c *comparison) methods(name string, theirs, ours *types.TypeName) {
	has := types.NewMethodSet(types.NewPointer(ours.Type()))
	hasWithoutPointer := types.NewMethodSet(ours.Type())
	for method := range types.NewMethodSet(types.NewPointer(theirs.Type())).Methods() {
		obj := method.Obj()
		if !obj.Exported() {
			continue
		}
		full := name + "." + obj.Name()
		if found := has.Lookup(c.guarded, obj.Name()); found != nil {
			c.object(full, obj, found.Obj())
		} else {
			c.object(full, obj, nil)
		}
	}
	for method := range types.NewMethodSet(theirs.Type()).Methods() {
		if obj := method.Obj(); obj.Exported() && hasWithoutPointer.Lookup(c.guarded, obj.Name()) == nil {
			c.differ(name+"."+obj.Name(), "missing for a value that isn't a pointer")
		}
	}
}

// fields compares the exported fields of a struct.
func (c *comparison) fields(name string, theirs, ours *types.TypeName) {
	theirStruct, ok := theirs.Type().Underlying().(*types.Struct)
	if !ok {
		return
	}
	ourStruct, ok := ours.Type().Underlying().(*types.Struct)
	if !ok {
		c.differ(name, "is %s; want a struct", describe(ours))
		return
	}
	for field := range theirStruct.Fields() {
		if !field.Exported() {
			continue
		}
		i := slices.IndexFunc(slices.Collect(ourStruct.Fields()), func(f *types.Var) bool { return f.Name() == field.Name() })
		if i < 0 {
			c.object(name+"."+field.Name(), field, nil)
		} else {
			c.object(name+"."+field.Name(), field, ourStruct.Field(i))
		}
	}
}

// callable reports whether ours can be called as theirs.
func (c *comparison) callable(theirs, ours *types.Signature) bool {
	params := ours.Params()
	if ours.Variadic() && !theirs.Variadic() {
		params = types.NewTuple(slices.Collect(params.Variables())[:params.Len()-1]...)
	} else if ours.Variadic() != theirs.Variadic() {
		return false
	}
	return c.sameTuple(theirs.Params(), params) && c.sameTuple(theirs.Results(), ours.Results())
}

func (c *comparison) sameTuple(theirs, ours *types.Tuple) bool {
	return slices.EqualFunc(slices.Collect(theirs.Variables()), slices.Collect(ours.Variables()),
		func(t, o *types.Var) bool { return c.same(t.Type(), o.Type()) })
}

// same reports whether two types are the same when each of Own in raw stands for
// the one in guarded.
func (c *comparison) same(theirs, ours types.Type) bool {
	theirs, ours = types.Unalias(theirs), types.Unalias(ours)
	switch t := theirs.(type) {
	case *types.Named:
		path, name := "", t.Obj().Name()
		if pkg := t.Obj().Pkg(); pkg != nil {
			path = pkg.Path()
		}
		if path == c.raw.Path() && slices.Contains(Own, name) {
			path = c.guarded.Path()
		}
		return isNamed(ours, path, name)
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

// isNamed reports whether t is the type of that name in the package at path. The
// two packages are loaded apart, so the same type is two objects.
func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Name() != name {
		return false
	}
	pkg := named.Obj().Pkg()
	return pkg == nil && path == "" || pkg != nil && pkg.Path() == path
}

func describe(obj types.Object) string {
	s := types.ObjectString(obj, (*types.Package).Name)
	if c, ok := obj.(*types.Const); ok {
		s += " = " + c.Val().String()
	}
	return s
}
