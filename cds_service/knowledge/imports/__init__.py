"""CMS's published quarterly files, read in the layouts they come in and written as tables of a site's folder."""
