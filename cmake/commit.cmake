# Writes adg_version.h with version and commit; leaves the file alone when nothing changed.
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
                ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define ADG_VERSION \"${VERSION}\"\n#define ADG_COMMIT \"${commit}\"\n" @ONLY)
