# Writes libtorii0.symbols from torii.h: each function, since the release that its comment names.

BEGIN {
  print "libtorii.so.0 libtorii0 #MINVER#"
  print "* Build-Depends-Package: libtorii-dev"
}

/^\/\/\/ (.* )?Since: / { since = $NF; sub(/\.$/, "", since) }
/^[A-Za-z].* \*?torii_[a-z0-9_]+\(/ {
  match($0, /torii_[a-z0-9_]+\(/)
  print " " substr($0, RSTART, RLENGTH - 1) "@Base " since
}
