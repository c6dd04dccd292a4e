# SPDX-License-Identifier: MIT
# Prints C files as file:line:text with comments and the insides of strings and characters left out.

FNR == 1 {
	in_comment = 0
}

{
	text = ""
	rest = $0
	while (rest != "") {
		if (in_comment) {
			end = index(rest, "*/")
			if (!end)
				break
			in_comment = 0
			rest = substr(rest, end + 2)
			continue
		}
		at = match(rest, /\/\*|\/\/|["']/)
		if (!at) {
			text = text rest
			break
		}
		text = text substr(rest, 1, at - 1)
		opens = substr(rest, at, RLENGTH)
		rest = substr(rest, at + RLENGTH)
		if (opens == "//")
			break
		if (opens == "/*") {
			in_comment = 1
			continue
		}
		text = text opens opens
		while (rest != "" && substr(rest, 1, 1) != opens)
			rest = substr(rest, substr(rest, 1, 1) == "\\" ? 3 : 2)
		rest = substr(rest, 2)
	}
	print FILENAME ":" FNR ":" text
}
