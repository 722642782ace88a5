# What is installed beside the program and the vendor library: the libraries that others may build on, each with its headers below
# include/sluice and a pkg-config file that can be moved with its prefix. Called last by the top file: all targets exist.

# sluice_install(local_client HEADERS a.h b.h [REQUIRES sluice-base] [LIBS -lpthread] DESCRIPTION "text")
function(sluice_install name)
    cmake_parse_arguments(ARG "" "DESCRIPTION" "HEADERS;REQUIRES;LIBS" ${ARGN})
    if(NOT TARGET sluice_${name})
        return()
    endif()
    install(TARGETS sluice_${name} ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    foreach(header ${ARG_HEADERS})
        cmake_path(GET header PARENT_PATH folder)
        install(FILES "${CMAKE_SOURCE_DIR}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/sluice/${folder}")
    endforeach()
    string(REPLACE "_" "-" dashed "${name}")
    list(JOIN ARG_REQUIRES ", " requires)
    list(JOIN ARG_LIBS " " libs)
    file(RELATIVE_PATH up "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/pkgconfig/sluice-${dashed}.pc" @ONLY CONTENT
"prefix=\${pcfiledir}/@up@
libdir=\${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=\${prefix}/@CMAKE_INSTALL_INCLUDEDIR@/sluice

Name: sluice-@dashed@
Description: @ARG_DESCRIPTION@
Version: @PROJECT_VERSION@
Requires: @requires@
Cflags: -I\${includedir}
Libs: -L\${libdir} -lsluice_@name@ @libs@
")
    install(FILES "${CMAKE_BINARY_DIR}/pkgconfig/sluice-${dashed}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

set(base transport/base)
sluice_install(base DESCRIPTION "Sluice: results, memory, bytes, sockets, shared memory" LIBS -lpthread
    HEADERS ${base}/arith.h ${base}/atomic.h ${base}/bytes.h ${base}/clock.h ${base}/fd.h ${base}/list.h ${base}/log.h ${base}/mem.h
            ${base}/pack.h ${base}/result.h ${base}/shm.h ${base}/sock.h ${base}/table.h ${base}/thread.h)
sluice_install(virtgpu DESCRIPTION "Sluice: a virtio-gpu as a guest asks it and as a device answers it" REQUIRES sluice-base
    HEADERS transport/virtgpu/proto.h transport/virtgpu/vg.h transport/virtgpu/vgd.h)
sluice_install(local_link DESCRIPTION "Sluice: one end of the local socket" REQUIRES sluice-virtgpu
    HEADERS transport/local/local_wire.h transport/local/local_link.h)
sluice_install(local_control DESCRIPTION "Sluice: what a running host is doing" REQUIRES sluice-local-link
    HEADERS transport/local/local_control.h)
sluice_install(asg_ring DESCRIPTION "Sluice: the ring's counters" REQUIRES sluice-base HEADERS asg/layout.h asg/ring.h)
sluice_install(asg_writer DESCRIPTION "Sluice: the guest's end of the ring" REQUIRES sluice-asg-ring HEADERS asg/writer.h asg/habit.h)
sluice_install(asg_reader DESCRIPTION "Sluice: the host's end of the ring" REQUIRES sluice-asg-ring HEADERS asg/reader.h)
