package diagnose

import "slices"

// Function is a function of libzmq, and the releases of libzmq to which the
// answer applies.
type Function struct {
	Name     string   `json:"name"` // such as epoll_t::add_fd
	Releases []string `json:"releases"`
}

// epollFunctions are the functions of epoll.cpp with an errno_assert, in the
// order of the file.
var epollFunctions = [...]string{
	"epoll_t::epoll_t", "epoll_t::add_fd", "epoll_t::rm_fd", "epoll_t::set_pollin", "epoll_t::reset_pollin",
	"epoll_t::set_pollout", "epoll_t::reset_pollout", "epoll_t::loop",
}

// epollLines are the lines of these errno_asserts in the sources of each
// release.
var epollLines = []struct {
	releases []string
	lines    [len(epollFunctions)]int
}{
	{[]string{"4.2.0"}, [...]int{52, 81, 93, 106, 114, 122, 130, 161}},
	{[]string{"4.2.1", "4.2.2", "4.2.3"}, [...]int{59, 88, 100, 115, 123, 131, 139, 170}},
	{[]string{"4.2.4", "4.2.5"}, [...]int{59, 90, 103, 119, 128, 137, 146, 179}},
	{[]string{"4.3.0", "4.3.1", "4.3.2", "4.3.3", "4.3.4"}, [...]int{65, 100, 113, 127, 136, 145, 154, 187}},
	{[]string{"4.3.5"}, [...]int{38, 73, 86, 100, 109, 118, 127, 160}},
}

// EpollFunctions returns the functions to which a line of libzmq's epoll.cpp
// may belong, newest release first; there may be none. If the release is empty
// or not in the table, all releases are considered.
func EpollFunctions(line int, release string) []Function {
	anyRelease := !knownRelease(release)
	var found []Function
	for _, row := range slices.Backward(epollLines) {
		i := slices.Index(row.lines[:], line)
		if i >= 0 && (anyRelease || slices.Contains(row.releases, release)) {
			found = append(found, Function{Name: epollFunctions[i], Releases: row.releases})
		}
	}
	return found
}

// knownRelease reports whether the lines of a release are in the table.
func knownRelease(release string) bool {
	for _, row := range epollLines {
		if slices.Contains(row.releases, release) {
			return true
		}
	}
	return false
}
