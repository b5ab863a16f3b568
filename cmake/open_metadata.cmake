# The open metadata in OUT, and the hash of their manifest as the C file PIN.
#   cmake -DSOURCE= -DOUT= -DPIN= -DPYTHON= -DADG= -P open_metadata.cmake      builds them from their sources
#   cmake -DSOURCE= -DOUT= -DPIN= -DFOLDER= -P open_metadata.cmake             takes those in FOLDER, or none
if(DEFINED FOLDER)
    if(NOT FOLDER STREQUAL "none")
        file(CREATE_LINK ${FOLDER} ${OUT} SYMBOLIC)
    endif()
else()
    set(text ${OUT}.jsonl)
    execute_process(COMMAND ${PYTHON} ${SOURCE}/datasets/hes/open/build.py OUTPUT_FILE ${text} COMMAND_ERROR_IS_FATAL ANY)
    # The text is the same on every machine; the folder's bytes are those of its compression library, too.
    file(SHA256 ${text} found)
    file(STRINGS ${SOURCE}/datasets/hes/open/distributions.sha256 expected LIMIT_COUNT 1)
    if(NOT found STREQUAL expected)
        message(FATAL_ERROR "the distributions of the open metadata are not those that datasets/hes/open/distributions.sha256 pins; if their "
                            "sources were meant to change, write this into it, and build again:\n${found}")
    endif()
    execute_process(COMMAND ${ADG} compose ${text} --dataset hes --meta ${OUT} --quiet --sandbox off COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE ${text})
endif()
set(hash "")
if(EXISTS ${OUT}/manifest.json)
    file(SHA256 ${OUT}/manifest.json hash)
endif()
file(WRITE ${PIN} "extern const char adg_open_manifest_sha256[65];\nconst char adg_open_manifest_sha256[65] = \"${hash}\";\n")
