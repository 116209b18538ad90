/** The version of Hotcast: that of package.json, which the images do not have. A unit test compares them. */
export const PACKAGE_VERSION = '0.1.0';
