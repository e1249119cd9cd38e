package api

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/format"
	"go/types"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated files of zmqsafe: go generate ./zmqsafe")

func TestGeneratedIsFresh(t *testing.T) {
	raw, err := Load(RawPath)
	require.NoError(t, err)
	sources, err := generate(raw)
	require.NoError(t, err)
	for name, want := range sources {
		file := "../../" + name
		if *update {
			require.NoError(t, os.WriteFile(file, want, 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.True(t, string(want) == string(got), "%s is stale: run go generate ./zmqsafe", name)
	}
}

// generate returns the Go source of zmqsafe's methods for options, by the name
// of the file. Signatures are raw's.
func generate(raw *types.Package) (map[string][]byte, error) {
	sources := make(map[string][]byte)
	for name, options := range files {
		g := generator{raw: raw}
		for _, o := range options {
			if o.Set != "" {
				g.setter(o)
			}
			if o.Get != "" {
				g.getter(o)
			}
		}
		if g.err != nil {
			return nil, g.err
		}
		imports := fmt.Sprintf("%q", RawPath)
		if bytes.Contains(g.out.Bytes(), []byte("time.")) {
			imports = "(\n\"time\"\n\n" + imports + "\n)"
		}
		source, err := format.Source(fmt.Appendf(nil, header, imports, g.out.Bytes()))
		if err != nil {
			return nil, err
		}
		sources[name] = source
	}
	return sources, nil
}

const header = `// Code generated from zmqsafe/internal/api/options.go; DO NOT EDIT.

package zmqsafe

import %s
%s`

type generator struct {
	raw *types.Package
	out bytes.Buffer
	err error
}

func (g *generator) print(format string, args ...any) { fmt.Fprintf(&g.out, format, args...) }

func (g *generator) setter(o Option) {
	sig := g.method(o.Set)
	if sig == nil {
		return
	}
	typ := g.name(sig.Params().At(0).Type())
	helper, want := "set", fmt.Sprintf("%q", o.want())
	switch {
	case typ == "time.Duration":
		helper, want = "setDuration", o.durations()
	case typ == "int":
		helper = "setInt"
	case o.Key:
		helper = "setKey"
	case o.Text:
		helper = "setText"
	}
	g.comment(o.setDoc())
	g.print("func (soc *Socket) %s(value %s) error {\n", o.Set, typ)
	g.print("\treturn %s(soc, %q, (*zmq4.Socket).%s, value, %s)\n}\n", helper, o.Set, o.Set, want)
}

func (g *generator) getter(o Option) {
	sig := g.method(o.Get)
	if sig == nil {
		return
	}
	g.comment(o.getDoc())
	g.print("func (soc *Socket) %s() (%s, error) { return get(soc, (*zmq4.Socket).%s) }\n",
		o.Get, g.name(sig.Results().At(0).Type()), o.Get)
}

// method looks the method up in raw's Socket.
func (g *generator) method(name string) *types.Signature {
	obj, _, _ := types.LookupFieldOrMethod(g.raw.Scope().Lookup("Socket").Type(), true, g.raw, name)
	method, ok := obj.(*types.Func)
	if !ok {
		g.err = fmt.Errorf("the table has %s, but %s has no such method", name, g.raw.Path())
		return nil
	}
	return method.Signature()
}

// name writes a type as zmqsafe does, where raw's types are aliases.
func (g *generator) name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == g.raw.Path() {
			return ""
		}
		return p.Name()
	})
}

// want says in an error which values are allowed.
func (o Option) want() string {
	if o.Types == "" {
		return o.Want
	}
	return o.Want + ", and a socket of type " + strings.ReplaceAll(o.Types, " and ", " or ")
}

// durations returns the allowed durations as Go source.
func (o Option) durations() string {
	var fields []string
	if o.Step != 0 {
		fields = append(fields, fmt.Sprintf("step: %d * time.Millisecond", o.Step.Milliseconds()))
	}
	if o.MinusOne != "" {
		fields = append(fields, fmt.Sprintf("minusOne: %q", o.MinusOne))
	}
	return "durations{" + strings.Join(fields, ", ") + "}"
}

func (o Option) setDoc() string {
	return o.Set + " " + cmp.Or(o.Verb, "sets") + " " + o.What + "." + sentence("It is an option of %s.", o.Types) +
		sentence("%s", o.More) + sentence("The default is %s.", o.Default) + o.see("setsockopt")
}

func (o Option) getDoc() string {
	if o.Set != "" {
		return o.Get + " returns what [Socket." + o.Set + "] sets."
	}
	verb := " returns "
	if strings.HasPrefix(o.What, "whether ") {
		verb = " reports "
	}
	return o.Get + verb + o.What + "." + sentence("%s", o.More) + o.see("getsockopt")
}

// sentence is empty if there is nothing to say.
func sentence(format, text string) string {
	if text == "" {
		return ""
	}
	return " " + fmt.Sprintf(format, text)
}

func (o Option) see(page string) string {
	return " See https://api.zeromq.org/4-3:zmq-" + page + ", ZMQ_" + o.Name + "."
}

// comment writes a doc comment in lines of at most 80 columns.
func (g *generator) comment(doc string) {
	g.print("\n")
	line := "//"
	for word := range strings.FieldsSeq(doc) {
		if len(line)+1+len(word) > 80 {
			g.print("%s\n", line)
			line = "//"
		}
		line += " " + word
	}
	g.print("%s\n", line)
}
