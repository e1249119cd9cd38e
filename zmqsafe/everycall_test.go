package zmqsafe

import (
	"context"
	"reflect"
	"slices"
)

// everyCall lists all methods of a socket or context that must fail when that is
// closed, each with some arguments. It calls the methods that return no error, so
// that they get a chance to panic.
func everyCall(object any) map[string]func() error {
	// These three do the closing, this one answers also afterwards, and a method
	// without pointer receiver can't be called on nil.
	others := []string{"Close", "Term", "Shutdown", "Context", "String"}
	calls := make(map[string]func() error)
	v := reflect.ValueOf(object)
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		if slices.Contains(others, name) {
			continue
		}
		args := someArguments(method.Type())
		if fails(method.Type()) {
			calls[name] = func() error { return lastError(method.Call(args)) }
		} else {
			method.Call(args)
		}
	}
	return calls
}

func someArguments(f reflect.Type) (args []reflect.Value) {
	n := f.NumIn()
	if f.IsVariadic() {
		n--
	}
	for i := range n {
		arg := reflect.New(f.In(i)).Elem()
		switch f.In(i) {
		case reflect.TypeFor[context.Context]():
			arg.Set(reflect.ValueOf(context.Background()))
		case reflect.TypeFor[string]():
			arg.SetString("inproc://after")
		}
		args = append(args, arg)
	}
	return args
}

// fails reports whether the last result is an error, or an iterator over values
// with errors.
func fails(f reflect.Type) bool {
	if f.NumOut() == 0 {
		return false
	}
	last := f.Out(f.NumOut() - 1)
	return last == reflect.TypeFor[error]() || last.Kind() == reflect.Func
}

func lastError(results []reflect.Value) error {
	last := results[len(results)-1]
	if last.Kind() == reflect.Func {
		for _, yielded := range last.Seq2() {
			last = yielded
			break
		}
	}
	err, _ := last.Interface().(error)
	return err
}
