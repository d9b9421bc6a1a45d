# Turns torii.h into what Doxygen expects: the main comment is the main page, each `== Title ==` opens a group, and
# "Errors:" and "Since:" become paragraphs of their own.

function group(title, id) {
  id = tolower(title)
  gsub(/[^a-z0-9]+/, "_", id)
  if (open) print "/** @} */"
  print "/** @defgroup " id " " title
  open = 1
}

NR == 1, /\*\// {
  if (/libtorii: /) { print "/** @mainpage libtorii"; print " *" }
  if (/^\/\*$/) next
  print
  if (/\*\// && !filed) { filed = 1; print "/** @file torii.h"; print " * The C API of libtorii. */" }
  next
}
/^typedef/ && !open && !types { types = 1 }
/^\/\/\/ == .* ==$/ {
  title = $0
  sub(/^\/\/\/ == /, "", title)
  sub(/ ==$/, "", title)
  group(title)
  introduction = 1
  next
}
introduction && /^\/\/\/$/ { print " * @{ */"; introduction = 0; next }
introduction && /^\/\/\/ / { print " * " substr($0, 5); next }
introduction { print " * @{ */"; introduction = 0 }
/^\/\/\/ / {
  sub(/^\/\/\/ Errors: /, "/// @par Errors\n/// ")
  sub(/^\/\/\/ Since: /, "/// @since ")
  if (match($0, / Since: [0-9.]+[0-9]\.?$/)) $0 = substr($0, 1, RSTART - 1) "\n/// @since " substr($0, RSTART + 8)
}
# The comment of a macro is also that of those in the lines below it.
/^\/\* / { sub(/^\/\*/, "/**"); gsub(/#/, "\\#"); comment = $0 }
/^#define/ && previous ~ /^#define/ { print comment }
{ previous = $0 }
/^#ifdef __cplusplus/ && open { print "/** @} */"; open = 0 }
{ print }
