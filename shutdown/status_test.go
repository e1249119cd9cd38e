package shutdown

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExitStatus(t *testing.T) {
	boom := errors.New("boom")
	worker := func(err error) error { return &Error{kindWorker, "w", err} }
	step := func(err error) error { return &Error{kindStep, "s", err} }
	overrun := &overrunError{"still running", nil}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"an error", boom, 1},
		{"of a worker", worker(boom), 1},
		{"a worker's own deadline", worker(context.DeadlineExceeded), 1},
		{"setup's own deadline", &Error{kindSetup, "setup", context.DeadlineExceeded}, 1},
		{"a deadline of nothing in particular", context.DeadlineExceeded, 1},
		{"a step's deadline", step(context.DeadlineExceeded), 124},
		{"a step's deadline, wrapped", step(fmt.Errorf("zmq: %w", errors.Join(boom, context.DeadlineExceeded))), 124},
		{"a server's deadline", worker(&closingError{context.DeadlineExceeded}), 124},
		{"a worker overran", worker(overrun), 124},
		{"a panic", worker(&PanicError{Value: 1}), 2},
		{"an error before the deadline", errors.Join(worker(boom), step(context.DeadlineExceeded)), 124},
		{"the deadline before an error", errors.Join(step(context.DeadlineExceeded), worker(boom)), 124},
		{"all", errors.Join(worker(boom), step(context.DeadlineExceeded), step(&PanicError{Value: 1})), 2},
		{"a worker that overran and panicked", worker(&overrunError{"late", &PanicError{Value: 1}}), 2},
		{"a worker's deadline in a group that is a step", step(errors.Join(worker(context.DeadlineExceeded))), 1},
		{"a step's deadline in a group that is a worker", worker(errors.Join(step(context.DeadlineExceeded))), 124},
		{"wrapped by the program", fmt.Errorf("serve: %w", worker(&PanicError{Value: 1})), 2},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, ExitStatus(tt.err), tt.name)
	}
}
