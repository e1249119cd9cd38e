package cexit

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// closerFunc can't be compared.
type closerFunc func(context.Context) error

func (f closerFunc) Shutdown(ctx context.Context) error { return f(ctx) }

// numbered closers that are equal are the same.
type numbered struct {
	n      int
	closed *[]int
}

func (c numbered) Shutdown(context.Context) error {
	*c.closed = append(*c.closed, c.n)
	return nil
}

// holder can be compared if what it holds can.
type holder struct{ any }

func (holder) Shutdown(context.Context) error { return nil }

// withoutC gives the test hooks of its own, without C, and returns how often
// atexit was called.
func withoutC(t *testing.T) (calls *int) {
	calls = new(int)
	oldHooks, oldAtexit := hooks, atexit
	hooks, atexit = nil, func() bool { *calls++; return true }
	t.Cleanup(func() { hooks, atexit = oldHooks, oldAtexit })
	return calls
}

func TestRegister(t *testing.T) {
	calls := withoutC(t)
	var closed []int
	for n := range 3 {
		require.NoError(t, Register(numbered{n, &closed}, time.Minute))
	}
	assert.Equal(t, 3, *calls)

	runNewest()
	assert.Equal(t, []int{2}, closed)
	require.NoError(t, Register(numbered{2, &closed}, time.Minute), "it is no longer registered")
	for range 3 {
		runNewest()
	}
	assert.Equal(t, []int{2, 2, 1, 0}, closed)
	runNewest() // nothing is left
	assert.Len(t, closed, 4)
}

func TestRegisterRefuses(t *testing.T) {
	calls := withoutC(t)
	nothing := closerFunc(func(context.Context) error { return nil })
	for want, err := range map[string]error{
		"cexit: there is nothing to close: want a value that isn't nil": Register(nil, time.Second),
		"cexit: there is nothing to close: the *http.Server is nil":     Register((*http.Server)(nil), time.Second),
		"cexit: there is nothing to close: the cexit.closerFunc is nil": Register(closerFunc(nil), time.Second),
		"cexit: timeout is 0s: want a positive duration":                Register(nothing, 0),
		"cexit: timeout is -1ns: want a positive duration":              Register(nothing, -1),
		"cexit: timeout is -2m0s: want a positive duration":             Register(&http.Server{}, -2*time.Minute),
	} {
		assert.EqualError(t, err, want)
	}
	assert.Zero(t, *calls)
	assert.Empty(t, hooks)
}

func TestRegisterRefusesTheSameTwice(t *testing.T) {
	calls := withoutC(t)
	server := &http.Server{}
	require.NoError(t, Register(&http.Server{}, time.Second))
	require.NoError(t, Register(server, time.Second))
	assert.Regexp(t, `^cexit: this \*http.Server is already registered, at \S*/cexit_test.go:\d+: register it once$`, Register(server, time.Minute).Error())
	require.NoError(t, Register(holder{1}, time.Second))
	assert.Error(t, Register(holder{1}, time.Second))
	require.NoError(t, Register(holder{2}, time.Second))
	assert.Equal(t, 4, *calls)
	assert.Len(t, hooks, 4)
}

func TestRegisterTakesWhatCantBeCompared(t *testing.T) {
	calls := withoutC(t)
	nothing := closerFunc(func(context.Context) error { return nil })
	for _, s := range []interface{ Shutdown(context.Context) error }{nothing, nothing, holder{nothing}, holder{nothing}, holder{1}} {
		require.NoError(t, Register(s, time.Second))
	}
	assert.Equal(t, 5, *calls)
}

func TestRegisterWhenAtexitFails(t *testing.T) {
	withoutC(t)
	atexit = func() bool { return false }
	assert.EqualError(t, Register(&http.Server{}, time.Second), "cexit: C's atexit failed: there is no memory, or no room, for another handler")
	assert.Empty(t, hooks)
}

// C has the handlers in the order of the hooks, also with concurrent calls.
func TestRegisterConcurrently(t *testing.T) {
	withoutC(t)
	var atexits []int // len(hooks) at the time
	atexit = func() bool { atexits = append(atexits, len(hooks)); return true }
	var closed []int
	var registering sync.WaitGroup
	for n := range 100 {
		registering.Go(func() { assert.NoError(t, Register(numbered{n, &closed}, time.Minute)) })
	}
	registering.Wait()
	require.Len(t, atexits, 100)
	assert.True(t, slices.IsSorted(atexits))

	for range 100 {
		runNewest()
	}
	slices.Sort(closed)
	for n := range 100 {
		assert.Equal(t, n, closed[n])
	}
}
