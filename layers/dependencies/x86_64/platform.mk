PLATFORM := manylinux2014_x86_64
